"""TPE shown every trial of a long search, and only the best and the latest: what it finds, and how long it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

import optuna
from optuna.samplers import TPESampler

from benchmarks.measure import Options, Result
from models.architectures import architecture
from study.backend.learning_curves import RecordedCurves
from study.search.cells import derived_seed
from study.search.search_space import suggest
from study.search.strategies.informative import WINDOW, BoundedSampler
from study.settings.sections.search import SearchSettings
from study.settings.space import searched

CURVES = Path(__file__).parent / "curves" / "photographs.json"
CELLS = ("scenes/cgan", "fruit/cgan")  # five hyperparameters, one of them a choice
WINDOWS = {"every trial": 10**9, f"{WINDOW}, the default": WINDOW, f"{WINDOW // 2}": WINDOW // 2}
LAST = 100


def run(options: Options) -> Result:
    """The same searches with each window, one trial at a time and unpruned, on recorded learning curves."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials, seeds = (300, 1) if options.quick else (1000, 2)
    curves, result = RecordedCurves.load(CURVES), Result()
    found = {
        name: [_Search(curves, cell, window, seed, trials) for cell in CELLS for seed in range(seeds)]
        for name, window in WINDOWS.items()
    }
    result.rows = [_row(name, searches, found["every trial"]) for name, searches in found.items()]
    bounded, whole = found[f"{WINDOW}, the default"], found["every trial"]
    result.goal(
        f"best of {trials} trials, window / every trial ≤ 1.005",
        _ratio(bounded, whole, "best"),
        at_most=1.005,
    )
    result.goal(f"last {LAST} trials, the same ≤ 1.02", _ratio(bounded, whole, "late"), at_most=1.02)
    result.notes.append(
        f"{trials} trials of {len(CELLS)} cells, {seeds} seeds each. Ratios: geometric means over cells and seeds of "
        f"the lowest objective, and of the mean objective of the last {LAST} trials. CPU time per proposal: medians of "
        f"the first and last {LAST} trials that TPE proposed."
    )
    return result


class _Search:
    """One search.

    Attributes:
        values: The objective of each trial.
        seconds: CPU seconds of each proposal.
    """

    def __init__(self, curves: RecordedCurves, cell: str, window: int, seed: int, trials: int) -> None:
        space = searched(architecture(cell.partition("/")[2]).name, {}, pretrained=True)
        startup = SearchSettings().startup_trials
        study = optuna.create_study()
        self.values: list[float] = []
        self.seconds: list[float] = []
        for number in range(trials):
            started = time.thread_time()
            tpe = TPESampler(seed=derived_seed(seed, cell, number), n_startup_trials=startup)
            study.sampler = BoundedSampler(tpe, window)
            trial = study.ask()
            suggest(trial, space)
            self.seconds.append(time.thread_time() - started)
            curve = curves.curve(cell, trial.params, derived_seed(seed, cell, "luck", number)).objective
            value = min((one for one in curve if math.isfinite(one)), default=math.inf)
            if math.isfinite(value):
                study.tell(trial, value)
                self.values.append(value)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)

    @property
    def best(self) -> float:
        """The lowest objective."""
        return min(self.values)

    @property
    def late(self) -> float:
        """Mean objective of the last trials."""
        return mean(self.values[-LAST:])


def _ratio(some: Sequence[_Search], others: Sequence[_Search], quantity: str) -> float:
    pairs = zip(some, others, strict=True)
    return math.exp(mean(math.log(getattr(a, quantity) / getattr(b, quantity)) for a, b in pairs))


def _row(name: str, searches: Sequence[_Search], whole: Sequence[_Search]) -> dict[str, object]:
    proposed = [search.seconds[SearchSettings().startup_trials :] for search in searches]
    return {
        "trials shown": name,
        "best / of every trial": round(_ratio(searches, whole, "best"), 4),
        f"last {LAST} / of every trial": round(_ratio(searches, whole, "late"), 4),
        f"ms per proposal, first {LAST}": round(median(s for one in proposed for s in one[:LAST]) * 1e3, 1),
        f"ms per proposal, last {LAST}": round(median(s for one in proposed for s in one[-LAST:]) * 1e3, 1),
    }
