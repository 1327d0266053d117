"""The best-model summary: one row per cell, the same in the table, the report and every export."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ModelError
from models.metrics import KEPT, METRICS, OBJECTIVE, TRIVIAL
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.selection import best_finals
from study.search.trial_spec import TrialState

if TYPE_CHECKING:  # SciPy, too, is loaded only where intervals are computed: a table that is read has them
    from study.statistics import Interval
    from study.tracking.record import StudyRecord

_RATIO = "_ratio"
SECONDS = ("search_seconds", "final_seconds", "feature_seconds", "device_seconds", "pretraining_seconds")
"""Device times of a row."""
_POOLED = ("pooled_hue_entropy", "hue_histogram")
"""A metric of all images together, and the quantity of single images that it is made from."""


@dataclass(frozen=True)
class CellSummary:
    """What a cell achieved and what it cost.

    Attributes:
        parameters: The best configuration of all replicates; empty without a complete trial.
        epochs: Trained in the search, failed and pruned trials included.
        final_epochs: Trained in the finals.
        search_seconds: Device time charged to the search, failed and pruned trials included.
        final_seconds: To the finals.
        feature_seconds: For what VGG16 says of the images, where the architecture needs it and it was stored.
        pretraining_seconds: Device time of the search behind the weights that generators of this cell started from,
            as far as it is known; 0 if none did.
        validation: Lowest validation objective of the search.
        test: Metric by name with interval over replicates and images; `kept_…` with the input's luminance.
        seeds: Number of finals behind `test`: one per replicate, or one per seed of a study of one replicate.
        beats: For each trivial prediction, whether the whole interval of the test objective lies below it; empty
            without finals.
        surely_helps: Whether the whole interval of its test objective lies below the grey copy; None without finals.
        objective: What the study minimises.
        external: Whether it is a contestant, which was not trained here.
        usage: What using the network costs, see `models.usage.Usage`; empty where it was not measured.
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
    final_epochs: int
    search_seconds: float
    final_seconds: float
    feature_seconds: float
    pretraining_seconds: float
    validation: float | None
    test: dict[str, Interval]
    seeds: int
    beats: dict[str, bool]
    model_uri: str
    surely_helps: bool | None = None
    objective: str = OBJECTIVE
    external: bool = False
    usage: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def device_seconds(self) -> float:
        """All that is charged to the cell itself."""
        return self.search_seconds + self.final_seconds + self.feature_seconds

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
            "final_epochs": self.final_epochs,
            **{name: round(getattr(self, name), 1) for name in SECONDS},
            f"val_{self.objective}": self.validation,
            "test": {
                name: {"mean": _finite(one.value), "low": _finite(one.low), "high": _finite(one.high)}
                for name, one in self.test.items()
            },
            "seeds": self.seeds,
            "beats": self.beats,
            "surely_beats_grey_copy": self.surely_helps,
            "external": self.external,
            "usage": self.usage,
            "model_uri": self.model_uri,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def summarise_study(record: StudyRecord) -> list[CellSummary]:
    """One row per (dataset, architecture), also where no trial is finished, and then the contestants."""
    from study.comparison.contestants import contestant_summaries

    evidence = Evidence(record)
    rows = []
    for dataset in evidence.datasets:
        rows += [summarise_cell(evidence, dataset, name) for name in evidence.architectures]
        rows += contestant_summaries(evidence, dataset)
    return rows


def summarise_cell(evidence: Evidence, dataset: str, name: str) -> CellSummary:
    """The row of one architecture on one dataset."""
    record = evidence.record
    search, finals = record.search(dataset, name), best_finals(record, dataset, name)
    # A trial that was continued to the end is one trial, though its record is two runs.
    continued = {(one.replicate, one.continues) for one in search if one.state == TrialState.COMPLETE}
    states = Counter(one.state for one in search if (one.replicate, one.number) not in continued)
    complete = [trial for trial in search if trial.state == TrialState.COMPLETE and trial.best is not None]
    best = min(complete, key=lambda one: (one.best, one.replicate, one.number), default=None)
    test = test_intervals(evidence, dataset, name)
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
        final_epochs=sum(trial.epochs for trial in record.finals(dataset, name)),
        search_seconds=sum(trial.device_seconds for trial in search),
        final_seconds=sum(trial.device_seconds for trial in record.finals(dataset, name)),
        feature_seconds=_feature_seconds(record, dataset, name),
        pretraining_seconds=_pretraining_seconds(record, dataset, name),
        validation=best.best if best else None,
        test=test,
        seeds=len(finals),
        beats=beaten(test, trivial, record.objective),
        model_uri=record.model_uri(dataset, name),
        surely_helps=surely_helps(test, trivial, record.objective),
        objective=record.objective,
        usage=record.usage.get(name, {}),
    )


def beaten(
    test: Mapping[str, Interval], trivial: Mapping[str, Mapping[str, float]], objective: str = OBJECTIVE
) -> dict[str, bool]:
    """For each trivial prediction whether the whole interval of the objective lies below it; empty without finals."""
    if not test:
        return {}
    return {row: test[objective].high < trivial[row][objective] for row in TRIVIAL if row in trivial}


def surely_helps(
    test: Mapping[str, Interval], trivial: Mapping[str, Mapping[str, float]], objective: str = OBJECTIVE
) -> bool | None:
    """Whether the whole interval of a cell's test objective lies below the grey copy; None without finals."""
    return test[objective].high < trivial[TRIVIAL[0]][objective] if test else None


def test_intervals(evidence: Evidence, dataset: str, name: str) -> dict[str, Interval]:
    """Every metric of an architecture's finals on the test split, raw and with the input's luminance, at 95 %."""
    cell = evidence.cells.get((dataset, name))
    if cell is None:
        return {}
    intervals = intervals_of(cell, evidence.categories(dataset))
    if evidence.record.replicates > 1:
        return intervals
    return {metric: replace(one, scope="these configurations") for metric, one in intervals.items()}


def intervals_of(cell: CellEvidence, categories: np.ndarray | None) -> dict[str, Interval]:
    """Every metric that was measured, raw and with the input's luminance, at 95 %."""
    names = [prefix + metric for prefix in ("", KEPT) for metric in METRICS]
    intervals = {metric: metric_interval(cell, metric, categories) for metric in names}
    return {metric: one for metric, one in intervals.items() if one is not None}


def metric_interval(cell: CellEvidence, name: str, categories: np.ndarray | None = None) -> Interval | None:
    """One metric of an architecture's finals; None if they do not have it."""
    from study.statistics import entropy_scores, ratio_interval

    base = name.removesuffix(_RATIO)
    if name.endswith(_RATIO) and cell.has(histogram := base.replace(*_POOLED)):
        predicted, truth = cell.scores(histogram), cell.truth(histogram)
        if histogram != base:
            predicted, truth = entropy_scores(predicted), entropy_scores(truth)
        return ratio_interval(predicted, truth, categories=categories).within(*_possible(name))
    if not cell.has(name):
        return None
    scores = cell.scores(name)
    return score_interval(name, np.where(np.isinf(scores), np.nan, scores), categories)


def score_interval(name: str, scores: np.ndarray, categories: np.ndarray | None = None) -> Interval:
    """Interval for the mean of one metric's scores (replicates × images), no wider than what is possible."""
    from study.statistics import mean_interval

    return mean_interval(scores, categories=categories).within(*_possible(name))


def _possible(name: str) -> tuple[float, float]:
    return METRICS[name.removeprefix(KEPT)].possible


def _feature_seconds(record: StudyRecord, dataset: str, name: str) -> float:
    from models.architectures import architecture

    spent = record.data["datasets"][dataset].get("feature_seconds", {})
    try:
        return float(spent.get(architecture(name).features, 0.0))
    except ModelError:  # an architecture of a plug-in that the reader does not have
        return 0.0


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
