"""Every trial of a cell's search as a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.comparison.table import number_text, parameter_text
from study.reporting.interactive.run_pages import run_page
from study.search.trial_spec import TrialState
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord


@dataclass(frozen=True)
class TrialRow:
    """One trial in words.

    Attributes:
        trial: What the page calls it.
        best: Lowest validation objective.
        values: Its hyperparameters, in the table's order; empty where it has none of that name.
        page: Address of its run in MLflow.
    """

    trial: str
    state: str
    best: str
    epochs: int
    device_seconds: str
    values: list[str]
    reason: str
    page: str


def trial_label(trial: TrialRecord, trials: Sequence[TrialRecord]) -> str:
    """A trial's number; of several replicates, `replicate/number`."""
    several = any(one.replicate != trial.replicate for one in trials)
    return f"{trial.replicate}/{trial.number}" if several else str(trial.number)


def state_word(state: TrialState) -> str:
    """How a trial ended, in a word."""
    return "failed" if state == TrialState.FAIL else state.lower()


def trial_rows(record: StudyRecord, trials: Sequence[TrialRecord], names: Sequence[str]) -> list[TrialRow]:
    """The trials in their order, with the named hyperparameters."""
    return [
        TrialRow(
            trial_label(one, trials),
            state_word(one.state),
            "–" if one.best is None else number_text(record.objective, one.best),
            one.epochs,
            f"{one.device_seconds:.1f}",
            [parameter_text(one.params[name]) if name in one.params else "" for name in names],
            one.reason,
            run_page(record.uri, one),
        )
        for one in trials
    ]
