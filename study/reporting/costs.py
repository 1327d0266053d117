"""What every cell cost: trials, epochs and device time, failed and pruned trials included."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from study.comparison.summary import CellSummary
from study.tracking.record import StudyRecord


@dataclass(frozen=True)
class Budget:
    """The cost of one cell.

    Attributes:
        trials: Number of search trials by state.
        seconds: Device-seconds by state of the search's trials, and `finals`.
        epochs: Of the search.
        final_epochs: Of the finals.
        total: Device-seconds of search and finals, as in the summary.
        watt_hours: Energy of search and finals; None if no device reported it.
        features: Device-seconds of what VGG16 says of the images; in the total.
        pretraining: Device-seconds of the search behind the generators' starting weights; not in the total.
    """

    dataset: str
    architecture: str
    trials: dict[str, int]
    seconds: dict[str, float]
    epochs: int
    final_epochs: int
    total: float
    watt_hours: float | None
    features: float
    pretraining: float


def budget(record: StudyRecord, summary: CellSummary) -> Budget:
    """What a cell cost, as MLflow has it."""
    trials: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    search = record.search(summary.dataset, summary.architecture)
    for trial in search:
        trials[trial.state] += 1
        seconds[trial.state] += trial.device_seconds
    finals = record.finals(summary.dataset, summary.architecture)
    seconds["finals"] = summary.final_seconds
    joules = [one.joules for one in [*search, *finals] if one.joules is not None]
    return Budget(
        summary.dataset,
        summary.architecture,
        dict(trials),
        dict(seconds),
        summary.epochs,
        summary.final_epochs,
        summary.device_seconds,
        sum(joules) / 3600 if joules else None,
        summary.feature_seconds,
        summary.pretraining_seconds,
    )
