"""Searches of one cell on recorded learning curves, one trial at a time: this project's, and stock Ray Tune's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from optuna.storages import InMemoryStorage
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from models.architectures import architecture
from models.metrics import OBJECTIVE
from study.backend.learning_curves import RecordedCurves
from study.backend.simulator import Simulation
from study.search.attributes import PRETRAINED
from study.search.cells import derived_seed
from study.search.conductor import Conductor
from study.search.ledger import StudyLedger
from study.search.search_space import distributions
from study.search.trial_spec import End, Parameters, Report, TrialSpec, TrialState
from study.settings.schema import StudySettings
from study.settings.space import searched


@dataclass(frozen=True)
class Standing:
    """Where a search stands when a trial has ended.

    Attributes:
        epochs: Spent so far.
        best: Lowest objective that can be had so far.
        params: The configuration that had it; None before a trial is complete.
    """

    epochs: int
    best: float
    params: Parameters | None = None


class _Standings:
    """A listener that keeps the standing after each trial."""

    def __init__(self) -> None:
        self.epochs = 0
        self.new: list[Standing] = []
        self._winner: Parameters | None = None

    def started(self, spec: TrialSpec) -> None:
        """Nothing is spent yet."""

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """Without meaning here."""

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """One more epoch."""
        self.epochs += 1

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """Without meaning here."""

    def ended(self, spec: TrialSpec, end: End) -> None:
        """Only complete trials count: finals take no others."""
        if end.state is TrialState.COMPLETE and end.value == end.best:
            self._winner = spec.params
        self.new.append(Standing(self.epochs, math.inf if end.best is None else end.best, self._winner))

    def noted(self, sentence: str) -> None:
        """Without meaning here."""


def ours(
    curves: RecordedCurves, cell: str, search: dict[str, Any], seed: int, trials: int
) -> Iterator[Standing]:
    """This project's search under the settings `search`, as if the cell were alone and its U-Net done."""
    dataset, _, name = cell.partition("/")
    settings = StudySettings(
        seed=seed,
        datasets={dataset: {"root": "recorded"}},  # type: ignore[dict-item]
        architectures=[name],
        budget={"trials": trials, "epochs": curves.epochs(cell)},  # type: ignore[arg-type]
        search=search,  # type: ignore[arg-type]
        replicates=1,
        finals={"seeds": 0},  # type: ignore[arg-type]
    )
    ledger, standings = StudyLedger(InMemoryStorage(), settings), _Standings()
    ledger.search(cell).remember(PRETRAINED, True)
    ledger.search(cell).enqueue(dict(architecture(name).textbook))
    simulation = Simulation(Conductor(settings, ledger, [standings]), curves, workers=1)
    while simulation.advance(Path()):
        yield from standings.new
        standings.new.clear()


def stock(curves: RecordedCurves, cell: str, seed: int, trials: int) -> Iterator[Standing]:
    """Ray's own searcher and scheduler, asked and told as Tune does; it too begins with the textbook."""
    epochs, name = curves.epochs(cell), cell.rpartition("/")[2]
    searcher = OptunaSearch(
        space=distributions(searched(name, {}, pretrained=True)),
        metric=OBJECTIVE,
        mode="min",
        seed=seed,
        points_to_evaluate=[dict(architecture(name).textbook)],
    )
    scheduler = ASHAScheduler(metric=OBJECTIVE, mode="min", max_t=epochs)
    spent, best = 0, math.inf
    for number in range(trials):
        trial = SimpleNamespace(trial_id=str(number), config=searcher.suggest(str(number)))
        scheduler.on_trial_add(None, trial)
        curve = curves.curve(cell, trial.config, derived_seed(seed, cell, "trial", number))
        for epoch, value in enumerate(curve.objective, start=1):
            spent, best = spent + 1, min(best, value)
            result = {OBJECTIVE: value, "training_iteration": epoch, "trial_id": str(number)}
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                break
            searcher.on_trial_result(str(number), result)
        searcher.on_trial_complete(str(number), result)
        scheduler.on_trial_complete(None, trial, result)
        yield Standing(spent, best)


@dataclass(frozen=True)
class Attempt:
    """One search for a target: the epochs it spent, and whether it came there."""

    epochs: int
    reached: bool


def attempt(search: Iterator[Standing], target: float, most: int) -> Attempt:
    """Search until the best is at most `target`, or `most` epochs are spent; all of them count where it fails."""
    for standing in search:
        if standing.best <= target and standing.epochs <= most:
            return Attempt(standing.epochs, True)
        if standing.epochs >= most:
            break
    return Attempt(most, False)


def expected_epochs(attempts: Sequence[Attempt]) -> float:
    """Expected running time until a success: epochs of all attempts by successes (Hansen et al. 2010, BBOB)."""
    successes = sum(one.reached for one in attempts)
    return sum(one.epochs for one in attempts) / successes if successes else math.inf
