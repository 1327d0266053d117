"""Every mistake is answered by one sentence that names what is wrong, and leaves nothing behind."""

import ast

import pytest

from tests.conftest import ROOT
from tests.support.bad_input import CASES, LINES, TESTS
from tests.support.bad_input.case import Case, ask


def test_every_fault_has_members_that_were_met_and_two_that_were_not():
    assert len({case.what for case in CASES}) == len(CASES)
    for line in LINES:
        assert line.named, line.fault
        assert len(line.unnamed) >= 2, line.fault


@pytest.mark.parametrize("address", TESTS)
def test_a_test_that_stands_for_a_fault_exists(address):
    file, _, name = address.partition("::")
    assert name in {one.name for one in ast.parse((ROOT / file).read_text()).body if hasattr(one, "name")}


@pytest.mark.parametrize("case", CASES, ids=[case.what.replace(" ", "-") for case in CASES])
def test_a_mistake_is_answered_by_a_sentence_that_names_it(case: Case, tmp_path):
    answer = ask(case, tmp_path)
    told = answer.errors + answer.output
    assert answer.code == case.code, told
    assert case.names in told
    assert "Traceback" not in told
    assert "secret" not in told.replace("secret_access_key", "")
    assert answer.left == []
    if answer.errors:
        first, *files = answer.errors.splitlines()
        assert first.endswith(":" if files else ".")
        assert all(line.startswith("  ") for line in files)  # files that are refused, each with its reason
