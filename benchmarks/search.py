"""How soon a search comes near the best on recorded learning curves: each pruner, and stock Ray Tune."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
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
STOCK = "stock: OptunaSearch + ASHA"
SETTINGS: dict[str, dict[str, Any]] = {
    UNPRUNED: {"pruner": "none"},
    "unpruned, random": {"pruner": "none", "sampler": "random"},
    "median (default)": {},
    "median, startup 2, warmup 1": {"startup_trials": 2, "warmup_epochs": 1},
    "median, random": {"sampler": "random"},
    "halving": {"pruner": "halving"},
    "hyperband": {"pruner": "hyperband"},
    "patient": {"pruner": "patient"},
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


def epochs_until(search: Iterator[Path_], target: float, most: int) -> float:
    """Epochs until the best complete value is at most `target`; infinite if `most` epochs do not suffice."""
    for path in search:
        if path and path[-1][1] <= target:
            return path[-1][0]
        if path and path[-1][0] >= most:
            break
    return math.inf


def run(options: Options) -> Result:
    """Every setting on every recorded cell, with the same seeds; one trial at a time, as if alone."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    curves = RecordedCurves.load(CURVES)
    seeds = range(6 if options.quick else 20)
    needed: dict[str, dict[str, list[float]]] = {name: {} for name in (*SETTINGS, STOCK)}
    for cell in curves.trials:
        most = 3 * TRIALS
        for seed in seeds:
            full = [*ours(curves, cell, SETTINGS[UNPRUNED], seed, TRIALS)][-1]
            target, epochs = full[-1][1] * NEAR, full[-1][0]
            for name, search in SETTINGS.items():
                found = epochs_until(ours(curves, cell, search, seed, most), target, epochs)
                needed[name].setdefault(cell, []).append(found)
            found = epochs_until(stock(curves, cell, seed, most), target, epochs)
            needed[STOCK].setdefault(cell, []).append(found)
    return _result(needed, len(seeds), TRIALS * curves.epochs(next(iter(curves.trials))))


def _result(needed: dict[str, dict[str, list[float]]], seeds: int, total: int) -> Result:
    result = Result()
    shares = {}
    for name, by_cell in needed.items():
        ratios = [median(by_cell[cell]) / median(needed[UNPRUNED][cell]) for cell in by_cell]
        shares[name] = geometric_mean(ratios)
        runs = [epochs for found in by_cell.values() for epochs in found]
        result.rows.append(
            {
                "search": name,
                "epochs, median of runs": median(runs),
                "relative to unpruned": shares[name],
                "by cell, lowest … highest": f"{min(ratios):.2f} … {max(ratios):.2f}",
                "of the whole unpruned study": median(runs) / total,
                "runs that came near": f"{sum(map(math.isfinite, runs))}/{len(runs)}",
            }
        )
    default = shares["median (default)"]
    result.goal("epochs of the default / of the unpruned study until within 1 % ≤ 0.4", default, at_most=0.4)
    result.goal("epochs of the default / of stock ASHA < 1", default / shares[STOCK], at_most=0.999)
    result.notes.append(
        f"{seeds} seeds a setting and cell; near: within 1 % of the same seed's unpruned study of {TRIALS} trials "
        f"({total} epochs), counting finished trials only, with at most as many epochs. Every configuration learns "
        "like the nearest recorded one. Relative: medians over seeds, then the geometric mean over cells."
    )
    return result
