"""How soon a search comes near the best on recorded learning curves: samplers, pruners, and stock Ray Tune."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import optuna

from benchmarks.measure import Options, Result
from benchmarks.replay import Attempt, attempt, expected_epochs, ours, stock
from study.backend.learning_curves import RecordedCurves

CURVES = Path(__file__).parent / "curves"
CHOSEN_ON = (
    "photographs"  # its even seeds; the default was confirmed on its odd ones and on the other recordings
)
TRIALS = 24  # of the unpruned study
NEAR = 1.01
UNPRUNED = "unpruned"
DEFAULT = "default: halving ½ from a quarter"
STOCK = "stock: OptunaSearch + ASHA"
MEDIAN = {"pruner": "median"}
SETTINGS: dict[str, dict[str, Any]] = {
    UNPRUNED: {"pruner": "none"},
    DEFAULT: {},
    "default, random": {"sampler": "random"},
    "default, 8 random trials before TPE": {"startup_trials": 8},
    "halving ½ from epoch 2": {"warmup_epochs": 2},
    "halving ½ from epoch 6": {"warmup_epochs": 6},
    "halving ⅓ from a quarter": {"reduction_factor": 3},
    "hyperband ⅓ from epoch 2": {"pruner": "hyperband", "warmup_epochs": 2, "reduction_factor": 3},
    "median from epoch 2 (the former default)": {**MEDIAN, "warmup_epochs": 2},
    "median from a quarter": MEDIAN,
    "patient median from a quarter, patience 2": {"pruner": "patient", "patience": 2},
}


@dataclass(frozen=True)
class Task:
    """What is searched: one recorded cell, and what counts as near its best.

    Attributes:
        target: Within 1 % of the best of the unpruned study: of the median of its bests over the seeds, since one
            seed's best is luck that this very seed's unpruned study has had by definition, and no other search.
        most: Epochs of the whole unpruned study; more are given to no search.
    """

    recording: str
    curves: RecordedCurves
    cell: str
    target: float
    most: int

    def attempt(self, name: str, seed: int) -> Attempt:
        """One search under the settings of this name."""
        trials = 6 * TRIALS  # more than `most` epochs are enough for
        if name == STOCK:
            return attempt(stock(self.curves, self.cell, seed, trials), self.target, self.most)
        return attempt(ours(self.curves, self.cell, SETTINGS[name], seed, trials), self.target, self.most)


def tasks(seeds: range) -> Iterator[Task]:
    """Every cell of every recording."""
    for file in sorted(CURVES.glob("*.json")):
        curves = RecordedCurves.load(file)
        for cell in curves.trials:
            whole = [[*ours(curves, cell, SETTINGS[UNPRUNED], seed, TRIALS)][-1] for seed in seeds]
            best = median(standing.best for standing in whole)
            yield Task(file.stem, curves, cell, best * NEAR, whole[0].epochs)


Found = dict[Task, list[Attempt]]  # by seed


def run(options: Options) -> Result:
    """Every setting on every recorded cell, with the same seeds; one trial at a time, as if alone."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    seeds = range(6 if options.quick else 20)
    found: dict[str, Found] = {name: {} for name in (*SETTINGS, STOCK)}
    for task in tasks(seeds):
        for name, by_task in found.items():
            by_task[task] = [task.attempt(name, seed) for seed in seeds]
    return _result(found, len(seeds))


def expected_share(found: Found, chosen_on: bool | None = None) -> float:
    """Expected epochs until near by those of the whole unpruned study: geometric mean over cells.

    Args:
        found: Attempts of one setting.
        chosen_on: Only what the default was chosen on, or only the rest; all if None.
    """
    shares = []
    for task, attempts in found.items():
        wanted = [
            one
            for seed, one in enumerate(attempts)
            if chosen_on in (None, task.recording == CHOSEN_ON and seed % 2 == 0)
        ]
        if wanted:
            shares.append(expected_epochs(wanted) / task.most)
    return math.inf if math.inf in shares else geometric_mean(shares)


def median_share(found: Found) -> float:
    """Median over all attempts of the epochs until near by those of the whole unpruned study; a failure is inf."""
    return median(
        one.epochs / task.most if one.reached else math.inf
        for task, attempts in found.items()
        for one in attempts
    )


def _row(name: str, found: Found) -> dict[str, Any]:
    medians = [median_share({task: attempts}) for task, attempts in found.items()]
    expected = [expected_share({task: attempts}) for task, attempts in found.items()]
    attempts = [one for several in found.values() for one in several]
    return {
        "search": name,
        "median share": _shown(median_share(found)),
        "by cell": f"{_shown(min(medians))} … {_shown(max(medians))}",
        "expected share": _shown(expected_share(found)),
        "of cells": f"{_shown(min(expected))} … {_shown(max(expected))}",
        "where chosen": _shown(expected_share(found, chosen_on=True)),
        "elsewhere": _shown(expected_share(found, chosen_on=False)),
        "came near": f"{sum(one.reached for one in attempts)}/{len(attempts)}",
    }


def _shown(share: float) -> str:
    return "never" if math.isinf(share) else f"{share:.2f}"


def _result(found: dict[str, Found], seeds: int) -> Result:
    result = Result(rows=[_row(name, by_task) for name, by_task in found.items()])
    default = found[DEFAULT]
    result.goal(
        "default: median epochs until near / whole unpruned study ≤ 0.4", median_share(default), at_most=0.4
    )
    result.goal("default: expected epochs / whole unpruned study ≤ 0.4", expected_share(default), at_most=0.4)
    result.goal(
        "the same where it was not chosen ≤ 0.4", expected_share(default, chosen_on=False), at_most=0.4
    )
    for other in (STOCK, UNPRUNED):
        result.goal(
            f"default / {other}: expected epochs < 1",
            expected_share(default) / expected_share(found[other]),
            at_most=0.999,
        )
    better = sum(
        expected_epochs(attempts) <= expected_epochs(found[STOCK][task]) for task, attempts in default.items()
    )
    recordings = {task.recording: task.curves for task in default}
    errors = ", ".join(
        f"{_error(curves, None):.1%} against {_error(curves, 0):.1%}" for curves in recordings.values()
    )
    result.notes += [
        f"{seeds} seeds for each setting and each of {len(default)} cells ({len(recordings)} recordings). Near: a "
        f"complete trial within 1 % of the best of an unpruned study of {TRIALS} trials (median of its bests over "
        "the seeds). Shares are of that study's epochs, and no search is given more. Median share: over all "
        "attempts, a failed one counting as never. Expected share: epochs of all attempts, failed ones too, by "
        "successes; geometric mean over cells.",
        f"The default was chosen on the even seeds of {CHOSEN_ON}.json and confirmed elsewhere. Its expected share "
        f"is at most that of stock in {better} of {len(default)} cells.",
        "A configuration learns like its recorded neighbourhood with the luck of one of its neighbours. Mean error "
        f"at a left-out trial, against that of the nearest trial's curve: {errors}.",
        "Stock begins with the same textbook configuration, and its stopped trials count as well.",
    ]
    return result


def _error(curves: RecordedCurves, bandwidth: float | None) -> float:
    """Mean leave-one-out error over cells; `bandwidth` None: as the curves are."""
    if bandwidth is not None:
        curves = RecordedCurves(curves.trials, bandwidth)
    return sum(curves.leave_one_out_error(cell) for cell in curves.trials) / len(curves.trials)
