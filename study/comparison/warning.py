"""Whether a champion is worth using, said aloud where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.metrics import TRIVIAL
from study.comparison.table import interval_text, number_text, objective_text

if TYPE_CHECKING:
    from study.comparison.summary import CellSummary
    from study.tracking.record import StudyRecord

GREY_COPY = TRIVIAL[0]


def champion_warning(record: StudyRecord, summary: CellSummary) -> str:
    """A sentence where a champion is not certain to be better than no colour at all; empty where it is.

    Args:
        record: The study.
        summary: The champion's cell.
    """
    who = f"The champion of {summary.dataset} ({summary.architecture})"
    if not summary.test:
        return f"{who} was not tested: the study has no finals, so nobody knows whether its colours help."
    objective = summary.objective
    own, grey = summary.test[objective], record.trivial[summary.dataset][GREY_COPY][objective]
    if own.high < grey:
        return ""
    verdict = "is no better than" if own.value >= grey else "is not certain to be better than"
    return (
        f"{who} {verdict} photographs left grey: {objective_text(objective)} {interval_text(objective, own)} on the "
        f"test images, the grey copy {number_text(objective, grey)}. Give it more images or a larger budget before "
        "using it."
    )
