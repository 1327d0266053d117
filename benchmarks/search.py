"""How soon a search comes near the best on recorded learning curves: each pruner, and stock Ray Tune."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.measure import Options, Result
from models.metrics import OBJECTIVE
from study.assignment import Assignment, End, Report
from study.cells import Stage, cells_of
from study.conductor import Conductor
from study.config import StudySettings
from study.curves import RecordedCurves
from study.ledger import CellLedger
from study.search_space import distributions
from study.simulation import Simulation

CURVES = Path(__file__).parent / "curves" / "photographs.json"
TRIALS = 24  # of the unpruned study
NEAR = 1.01
UNPRUNED = "unpruned"
DEFAULT = "default (median)"
STOCK = "stock: OptunaSearch + ASHA"
SETTINGS: dict[str, dict[str, Any]] = {
    UNPRUNED: {"pruner": "none"},
    "unpruned, random": {"pruner": "none", "sampler": "random"},
    DEFAULT: {},
    "median, startup 1, warmup 1": {"startup_trials": 1, "warmup_epochs": 1},
    "median, warmup 4": {"warmup_epochs": 4},
    "median, warmup 8": {"warmup_epochs": 8},
    "median, random": {"sampler": "random"},
    "halving": {"pruner": "halving"},
    "halving, warmup 4": {"pruner": "halving", "warmup_epochs": 4},
    "hyperband": {"pruner": "hyperband"},
    "hyperband, warmup 4": {"pruner": "hyperband", "warmup_epochs": 4},
    "patient": {"pruner": "patient"},
    "patient, patience 2": {"pruner": "patient", "patience": 2},
}
Path_ = list[tuple[int, float]]  # epochs spent, best complete value so far


class _Best:
    """A listener: the best complete value against the epochs that were spent."""

    def __init__(self) -> None:
        self.epochs = 0
        self.path: Path_ = []

    def started(self, assignment: Assignment) -> None:
        """Nothing is spent yet."""

    def placed(self, assignment: Assignment, nodes: Sequence[str]) -> None:
        """Without meaning here."""

    def reported(self, assignment: Assignment, report: Report) -> None:
        """One more epoch."""
        self.epochs += 1

    def pictured(self, assignment: Assignment, epoch: int, key: str) -> None:
        """Without meaning here."""

    def ended(self, assignment: Assignment, end: End) -> None:
        """Note the best complete value."""
        if end.best is not None:
            self.path.append((self.epochs, end.best))

    def noted(self, sentence: str) -> None:
        """Without meaning here."""


def ours(
    curves: RecordedCurves, cell: str, search: dict[str, Any], seed: int, trials: int
) -> Iterator[Path_]:
    """The path of one cell's search after each result; one trial at a time."""
    dataset, _, name = cell.partition("/")
    settings = StudySettings(
        seed=seed,
        datasets={dataset: {"root": "recorded"}},  # type: ignore[dict-item]
        architectures=[name],
        budget={"trials": trials, "epochs": curves.epochs(cell)},  # type: ignore[arg-type]
        search=search,  # type: ignore[arg-type]
        finals={"seeds": 0},  # type: ignore[arg-type]
    )
    storage, best = InMemoryStorage(), _Best()
    cells = cells_of(settings)
    ledgers = {
        (cell, stage): CellLedger(storage, settings.name, cells[0], stage, settings.search, seed)
        for stage in Stage
    }
    simulation = Simulation(Conductor(settings, cells, ledgers, [best]), curves, workers=1)
    while simulation.advance(Path()):
        yield best.path


def stock(curves: RecordedCurves, cell: str, seed: int, trials: int) -> Iterator[Path_]:
    """The same with Ray's own searcher and scheduler, asked and told as Tune does."""
    epochs = curves.epochs(cell)
    space = distributions(cell.rpartition("/")[2], {}, pretrained=False)
    searcher = OptunaSearch(space=space, metric=OBJECTIVE, mode="min", seed=seed)
    scheduler = ASHAScheduler(metric=OBJECTIVE, mode="min", max_t=epochs)
    spent, best, path = 0, math.inf, []
    for number in range(trials):
        trial = SimpleNamespace(trial_id=str(number), config=searcher.suggest(str(number)))
        scheduler.on_trial_add(None, trial)
        recorded = curves.nearest(cell, trial.config)
        for epoch in range(1, epochs + 1):
            spent += 1
            result = {
                "training_iteration": epoch,
                OBJECTIVE: recorded.objective[epoch - 1],
                "trial_id": str(number),
            }
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                break
            searcher.on_trial_result(str(number), result)
        searcher.on_trial_complete(str(number), result)
        scheduler.on_trial_complete(None, trial, result)
        best = min(best, *recorded.objective[:epoch])
        path.append((spent, best))
        yield path


@dataclass(frozen=True)
class Attempt:
    """One search for the target."""

    epochs: int
    near: bool


def attempt(search: Iterator[Path_], target: float, most: int) -> Attempt:
    """Search until the best complete value is at most `target`, or `most` epochs are spent."""
    spent = 0
    for path in search:
        if path:
            spent = path[-1][0]
            if path[-1][1] <= target:
                return Attempt(spent, True)
            if spent >= most:
                break
    return Attempt(max(spent, most), False)


def expected_epochs(attempts: Sequence[Attempt]) -> float:
    """Expected running time until a success: epochs of all attempts by successes (Hansen et al. 2010, BBOB)."""
    successes = sum(one.near for one in attempts)
    return sum(one.epochs for one in attempts) / successes if successes else math.inf


def run(options: Options) -> Result:
    """Every setting on every recorded cell, with the same seeds; one trial at a time, as if alone."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    curves = RecordedCurves.load(CURVES)
    seeds = range(6 if options.quick else 20)
    found: dict[str, dict[str, list[Attempt]]] = {name: {} for name in (*SETTINGS, STOCK)}
    for cell in curves.trials:
        whole = [[*ours(curves, cell, SETTINGS[UNPRUNED], seed, TRIALS)][-1][-1] for seed in seeds]
        target, epochs = median(best for _, best in whole) * NEAR, whole[0][0]
        for seed in seeds:
            for name, search in SETTINGS.items():
                one = attempt(ours(curves, cell, search, seed, 3 * TRIALS), target, epochs)
                found[name].setdefault(cell, []).append(one)
            found[STOCK].setdefault(cell, []).append(
                attempt(stock(curves, cell, seed, 3 * TRIALS), target, epochs)
            )
    return _result(found, len(seeds), TRIALS * curves.epochs(next(iter(curves.trials))))


def _result(found: dict[str, dict[str, list[Attempt]]], seeds: int, total: int) -> Result:
    result = Result()
    relative, of_whole = {}, {}
    for name, by_cell in found.items():
        expected = {cell: expected_epochs(attempts) for cell, attempts in by_cell.items()}
        ratios = [expected[cell] / expected_epochs(found[UNPRUNED][cell]) for cell in expected]
        relative[name] = geometric_mean(ratios)
        of_whole[name] = geometric_mean(list(expected.values())) / total
        attempts = [one for several in by_cell.values() for one in several]
        result.rows.append(
            {
                "search": name,
                "of the whole unpruned study": round(of_whole[name], 3),
                "of the unpruned study until near": round(relative[name], 3),
                "by cell, lowest … highest": f"{min(ratios):.2f} … {max(ratios):.2f}",
                "median epochs where near": median(one.epochs for one in attempts if one.near),
                "came near": f"{sum(one.near for one in attempts)}/{len(attempts)}",
            }
        )
    result.goal(
        "default: expected epochs until near / whole unpruned study ≤ 0.4", of_whole[DEFAULT], at_most=0.4
    )
    result.goal("default: the same / unpruned study until near itself ≤ 0.4", relative[DEFAULT], at_most=0.4)
    result.goal(
        "default / stock ASHA with OptunaSearch < 1", relative[DEFAULT] / relative[STOCK], at_most=0.999
    )
    result.notes.append(
        f"{seeds} seeds a setting and cell; near: a finished trial within 1 % of the best of an unpruned study of "
        f"{TRIALS} trials ({total} epochs; the median of its bests over the seeds), given at most as many epochs. "
        "Expected epochs: those of all attempts, failed ones too, by successes; geometric means over cells. Every "
        "configuration learns like the nearest recorded one; one trial at a time."
    )
    return result
