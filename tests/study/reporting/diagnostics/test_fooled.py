"""Pictures and numbers that fooled a diagnosis do not fool it any more."""

import pytest

from tests.study.reporting.diagnostics.fooled import FORMER, Row, discriminators, pictures

ROWS = [*pictures(), *discriminators()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.diagnosis}: {row.shown}")
def test_a_diagnosis_sees_what_it_is_called_after_and_nothing_else(row: Row):
    assert (row.verdict == "seen") == row.seen


@pytest.mark.parametrize("title", [*FORMER, "Discriminator saturation"])
def test_the_former_measure_was_fooled(title):
    assert any(row.said != row.seen for row in ROWS if row.diagnosis == title)
