"""The best-model summary: one row per cell, the same in the table, the report and every export."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ModelError
from models.metrics import KEPT, METRICS, OBJECTIVE, TRIVIAL
from study.comparison.selection import best_finals
from study.search.trial_spec import TrialState

if TYPE_CHECKING:  # SciPy, too, is loaded only where intervals are computed: a table that is read has them
    from study.statistics import Interval
    from study.tracking.record import StudyRecord
    from study.tracking.trial_record import TrialRecord

_RATIO = "_ratio"


@dataclass(frozen=True)
class CellSummary:
    """What a cell achieved and what it cost.

    Attributes:
        parameters: The best configuration; empty without a complete trial.
        epochs: Trained in the search, failed and pruned trials included.
        device_seconds: Charged to search and finals, failed and pruned trials included.
        pretraining_seconds: Device time of the search behind the weights that generators of this cell started from,
            as far as it is known; 0 if none did.
        validation: Lowest validation objective of the search.
        test: Metric by name with interval over seeds and images; `kept_…` with the input's luminance.
        seeds: Number of complete finals of the best configuration.
        beats: For each trivial prediction, whether the cell's mean test objective is lower; empty without finals.
        surely_helps: Whether the whole interval of its test objective lies below the grey copy; None without finals.
        model_uri: Where the ready-to-use model lies; empty if there is none.
    """

    dataset: str
    architecture: str
    parameters: dict[str, float | str]
    trials: int
    complete: int
    pruned: int
    failed: int
    epochs: int
    device_seconds: float
    pretraining_seconds: float
    validation: float | None
    test: dict[str, Interval]
    seeds: int
    beats: dict[str, bool]
    model_uri: str
    surely_helps: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as JSON can hold it."""
        return {
            "dataset": self.dataset,
            "architecture": self.architecture,
            "parameters": self.parameters,
            "trials": self.trials,
            "complete": self.complete,
            "pruned": self.pruned,
            "failed": self.failed,
            "epochs": self.epochs,
            "device_seconds": round(self.device_seconds, 1),
            "pretraining_seconds": round(self.pretraining_seconds, 1),
            f"val_{OBJECTIVE}": self.validation,
            "test": {
                name: {"mean": _finite(one.value), "low": _finite(one.low), "high": _finite(one.high)}
                for name, one in self.test.items()
            },
            "seeds": self.seeds,
            "beats": self.beats,
            "surely_beats_grey_copy": self.surely_helps,
            "model_uri": self.model_uri,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def summarise_study(record: StudyRecord) -> list[CellSummary]:
    """One row per cell, in the configuration's order; cells without a finished trial too."""
    return [summarise_cell(record, dataset, name) for dataset, name in record.cells]


def summarise_cell(record: StudyRecord, dataset: str, name: str) -> CellSummary:
    """One cell's row."""
    search, finals = record.search(dataset, name), best_finals(record, dataset, name)
    # A trial that was continued to the end is one trial, though its record is two runs.
    continued = {trial.continues for trial in search if trial.state == TrialState.COMPLETE}
    states = Counter(trial.state for trial in search if trial.number not in continued)
    complete = [trial for trial in search if trial.state == TrialState.COMPLETE and trial.best is not None]
    best = min(complete, key=lambda trial: (trial.best, trial.number), default=None)
    test = test_intervals(record, finals)
    trivial = record.trivial[dataset]
    return CellSummary(
        dataset=dataset,
        architecture=name,
        parameters=dict(best.params) if best else {},
        trials=states.total(),
        complete=states[TrialState.COMPLETE],
        pruned=states[TrialState.PRUNED],
        failed=states[TrialState.FAIL],
        epochs=sum(trial.epochs for trial in search),
        device_seconds=sum(trial.device_seconds for trial in [*search, *record.finals(dataset, name)]),
        pretraining_seconds=_pretraining_seconds(record, dataset, name),
        validation=best.best if best else None,
        test=test,
        seeds=len(finals),
        beats=beaten(test, trivial),
        model_uri=record.model_uri(dataset, name),
        surely_helps=surely_helps(test, trivial),
    )


def beaten(test: Mapping[str, Interval], trivial: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """For each trivial prediction whether a cell's mean test objective is lower; empty without finals."""
    return {row: test[OBJECTIVE].value < trivial[row][OBJECTIVE] for row in TRIVIAL} if test else {}


def surely_helps(test: Mapping[str, Interval], trivial: Mapping[str, Mapping[str, float]]) -> bool | None:
    """Whether the whole interval of a cell's test objective lies below the grey copy; None without finals."""
    return test[OBJECTIVE].high < trivial[TRIVIAL[0]][OBJECTIVE] if test else None


def test_intervals(record: StudyRecord, finals: list[TrialRecord]) -> dict[str, Interval]:
    """Every metric of some finals on the test split, raw and with the input's luminance, with 95 % intervals."""
    if not finals:
        return {}
    evaluations = [record.evaluation(final) for final in finals]
    names = [prefix + name for prefix in ("", KEPT) for name in METRICS]
    intervals = {name: metric_interval(evaluations, name) for name in names}
    return {name: interval for name, interval in intervals.items() if interval is not None}


def metric_interval(evaluations: list[dict[str, np.ndarray]], name: str) -> Interval | None:
    """One metric of several seeds' evaluations on the same images; None if they do not have it."""
    from study.statistics import ratio_interval

    base = name.removesuffix(_RATIO)
    if name.endswith(_RATIO) and base in evaluations[0]:
        predicted = np.stack([one[base] for one in evaluations])
        return ratio_interval(predicted, evaluations[0][f"{base}_true"]).within(*_possible(name))
    if name not in evaluations[0]:
        return None
    scores = np.stack([one[name] for one in evaluations])
    return score_interval(name, scores[:, np.isfinite(scores).all(axis=0)])


def score_interval(name: str, scores: np.ndarray) -> Interval:
    """Interval for the mean of one metric's scores (seeds × images), no wider than what is possible."""
    from study.statistics import mean_interval

    return mean_interval(scores).within(*_possible(name))


def _possible(name: str) -> tuple[float, float]:
    return METRICS[name.removeprefix(KEPT)].possible


def _pretraining_seconds(record: StudyRecord, dataset: str, name: str) -> float:
    start = record.data.get("start") or {}  # studies of earlier versions have none
    given = float(start["device_seconds"]) if start.get("architecture") == name else 0.0
    if all(trial.generator_from is None for trial in record.search(dataset, name)):
        return given
    from models.architectures import architecture

    try:
        pretraining = architecture(name).pretrained_by
    except ModelError:  # an architecture of a plug-in that the reader does not have
        return given
    return given + sum(trial.device_seconds for trial in record.search(dataset, pretraining or ""))


Trivial = Mapping[str, Mapping[str, Mapping[str, float]]]
