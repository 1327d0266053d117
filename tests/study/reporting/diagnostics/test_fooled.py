"""Pictures and numbers that fooled a diagnosis do not fool it any more."""

import pytest

from tests.study.reporting.diagnostics.fooled import Row, discriminators, pictures


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [*pictures(), *discriminators()]


def test_a_diagnosis_sees_what_it_is_called_after_and_nothing_else(rows):
    assert [row for row in rows if (row.verdict == "seen") != row.seen] == []


def test_each_former_measure_was_fooled(rows):
    fooled = {row.diagnosis for row in rows if row.said != row.seen}
    assert fooled == {row.diagnosis for row in rows}
