"""Every mistake is answered by one sentence that names what is wrong, and leaves nothing behind."""

import pytest

from tests.support.bad_input import CASES, Case, ask


def test_there_are_enough_cases_and_no_two_alike():
    assert len({case.what for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=[case.what.replace(" ", "-") for case in CASES])
def test_a_mistake_is_answered_by_a_sentence_that_names_it(case: Case, tmp_path):
    answer = ask(case, tmp_path)
    assert answer.code == case.code, answer.text
    assert case.names in answer.text
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text
    first, *files = answer.text.splitlines()
    assert first.endswith(":" if files else ".")
    assert all(line.startswith("  ") for line in files)  # files that are refused, each with its reason
    assert answer.left == []
