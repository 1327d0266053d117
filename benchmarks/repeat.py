"""A whole study repeated on recorded learning curves: what its intervals hold, and how its budget is best divided."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import median

import numpy as np
import optuna
from scipy.stats import skew

from benchmarks.former_design import unpaired
from benchmarks.measure import Options, Result
from benchmarks.replay import Standing, ours
from benchmarks.search import CURVES
from benchmarks.situations import IMAGE, REST, TASTE, Array
from study.backend.learning_curves import RecordedCurves
from study.search.cells import derived_seed
from study.statistics import compare, mean_interval, shaffer

IMAGES = 72
REPEATS, REPLICATES = 300, 3
"""Of the study as it is by default; the others are made of the same passes."""
BUDGETS = (108, 180)
"""Epochs per architecture and dataset, failed, pruned and final trainings included."""
DIVIDED_BY = (1, 2, 3, 4, 6)
FORMER_FINALS = 3
LOWEST, HIGHEST = 0.93, 0.97
NARROW = (
    "Below 0.93: {rows}. A search of a few trials finds a good learning rate or does not, so that the finals of one "
    "cell are skewed to one side (skewness: the largest of any cell), and three of them that are alike by chance make "
    "an interval that is too short. More trials or a fourth replicate mend it."
)
EXPLAINED = (
    "{passes} independent passes of each of {cells} recorded cells, by turns on {recordings} recordings (other seeds, "
    "other subsets of the images): the default search until what is left pays the final, then a final of its winner "
    "with a fresh seed. A study of n replicates is n of them, paired over architectures by recording; each pass is in "
    "one study of a round; {studies} studies a cell where there are 3 replicates. Images ({images}) are simulated, "
    "others in each study. Mean: how often a study's 95 % interval holds the mean of all passes; difference: the same "
    "for the two architectures of a dataset. Claims: of three equals at least one pair is told apart. Found: the "
    "better architecture is called better. Quality: mean ΔE₀₀ of the finals; champion: of the one that is lowest. "
    "With one replicate an interval speaks of configurations; here it is held against the architecture all the same. "
    "Former: one search with all of the budget, {finals} finals of its one winner, compared as independent seeds."
)


@dataclass(frozen=True)
class Pass:
    """One replicate of one cell, with its whole search so that it can be ended early.

    Attributes:
        standings: After each trial.
        finals: Objective of finals with fresh seeds, by the number of trials before: trials × finals.
    """

    standings: Sequence[Standing]
    finals: Array

    def until(self, epochs: int) -> Array:
        """The finals of the winner that there is after so many epochs; NaN without a complete trial."""
        ended = sum(one.epochs <= epochs for one in self.standings)
        return self.finals[ended - 1] if ended else np.full(FORMER_FINALS, np.nan)


@dataclass(frozen=True)
class Division:
    """A way to spend a budget.

    Attributes:
        epochs: Per architecture and dataset.
        replicates: Into which it is divided.
        former: One search, several finals of its winner.
    """

    epochs: int
    replicates: int
    former: bool = False

    def search_epochs(self, of_final: int) -> int:
        """What each search may spend."""
        if self.former:
            return self.epochs - FORMER_FINALS * of_final
        return self.epochs // self.replicates - of_final

    def values(self, found: Sequence[Pass], of_final: int) -> Array:
        """Passes × finals that each counts with."""
        finals = np.array([one.until(self.search_epochs(of_final)) for one in found])
        return finals if self.former else finals[:, :1]


def run(options: Options) -> Result:
    """Every division of every budget."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    loaded = [RecordedCurves.load(file) for file in sorted(CURVES.glob("*.json"))]
    cells = list(loaded[0].trials)
    recordings = [one for one in loaded if {*cells} <= {*one.trials}]  # others are of other cells or recipes
    passes = (60 if options.quick else REPEATS) * REPLICATES
    with ProcessPoolExecutor() as pool:
        found = dict(zip(cells, pool.map(partial(all_passes, recordings, count=passes), cells), strict=True))
    of_final = recordings[0].epochs(cells[0])
    rounds = 1 if options.quick else 2
    result = Result()
    for epochs in BUDGETS:
        divisions = [Division(epochs, one) for one in DIVIDED_BY] + [Division(epochs, 1, former=True)]
        divisions = [one for one in divisions if one.search_epochs(of_final) >= of_final]
        result.rows += [_row(division, found, of_final, len(recordings), rounds) for division in divisions]
    studies = rounds * passes // REPLICATES
    error = math.sqrt(0.05 * 0.95 / (studies * len(cells)))
    for row in result.rows:
        if row["replicates"] == REPLICATES:
            where = f"{row['epochs']} epochs, {REPLICATES} replicates"
            result.goal(
                f"{where}: the mean of all is held in at least {LOWEST}", row["mean"], at_least=LOWEST
            )
            result.goal(f"{where}: in at most {HIGHEST}", row["mean"], at_most=HIGHEST)
            result.goal(
                f"{where}: claims at most 0.05 (+ 3 standard errors)", row["claims"], at_most=0.05 + 3 * error
            )
    narrow = [row for row in result.rows if row["replicates"] >= REPLICATES and row["mean"] < LOWEST]
    if narrow:
        named = "; ".join(
            f"{row['epochs']} epochs, {row['replicates']} replicates ({row['mean']:.3f})" for row in narrow
        )
        result.notes.append(NARROW.format(rows=named))
    result.notes.append(
        EXPLAINED.format(passes=passes, cells=len(cells), recordings=len(recordings), studies=studies, images=IMAGES,
                         finals=FORMER_FINALS)
    )  # fmt: skip
    return result


def all_passes(recordings: Sequence[RecordedCurves], cell: str, count: int) -> list[Pass]:
    """Independent passes of one cell, by turns on each recording."""
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return [_pass(recordings[seed % len(recordings)], cell, seed) for seed in range(count)]


def _pass(curves: RecordedCurves, cell: str, seed: int) -> Pass:
    standings, finals = [], []
    most = max(BUDGETS) - curves.epochs(cell)
    for standing in ours(curves, cell, {}, seed, trials=most):
        if standing.epochs > most:
            break
        standings.append(standing)
        if finals and standing.params == standings[-2].params:
            finals.append(finals[-1])
        else:
            finals.append([_final(curves, cell, standing, seed, number) for number in range(FORMER_FINALS)])
    return Pass(standings, np.array(finals))


def _final(curves: RecordedCurves, cell: str, standing: Standing, seed: int, number: int) -> float:
    if standing.params is None:
        return math.nan
    curve = curves.curve(cell, standing.params, derived_seed(seed, cell, "final", number))
    return float(np.nanmin(curve.objective))


def _row(
    division: Division, found: dict[str, list[Pass]], of_final: int, recordings: int, rounds: int
) -> dict[str, object]:
    random = np.random.default_rng([division.epochs, division.replicates, division.former])
    values = {cell: division.values(passes, of_final) for cell, passes in found.items()}
    datasets = {cell.partition("/")[0] for cell in values}
    held: dict[str, list[float]] = {
        name: [] for name in ("mean", "difference", "claims", "found", "width", "quality", "champion")
    }
    for dataset in sorted(datasets):
        a, b = (of_cell for cell, of_cell in values.items() if cell.startswith(f"{dataset}/"))
        truth = float(np.nanmean(a) - np.nanmean(b))
        for one, other in _studies(random, division, (a, b), recordings, rounds):
            _difference(held, division, one, other, truth)
    for of_cell in values.values():
        for equals in _studies(random, division, [of_cell] * 3, recordings, rounds):
            interval = mean_interval(equals[0])
            held["mean"].append(interval.low <= np.nanmean(of_cell) <= interval.high)
            held["width"].append((interval.high - interval.low) / 2)
            held["claims"].append(_claimed(division, equals))
            held["quality"].append(float(np.nanmean(equals[0])))
            held["champion"].append(float(np.nanmin(equals[0].mean(axis=1))))
    trials = [
        sum(one.epochs <= division.search_epochs(of_final) for one in single.standings)
        for passes in found.values()
        for single in passes
    ]
    shown = {name: float(np.mean(hits)) for name, hits in held.items() if name != "width"}
    return {
        "design": "former" if division.former else "replicates",
        "epochs": division.epochs,
        "replicates": division.replicates,
        "trials": float(np.mean(trials)),
        **shown,
        "half width": median(held["width"]),
        "skewness": max(float(skew(of_cell[:, 0], nan_policy="omit")) for of_cell in values.values()),
    }


def _studies(
    random: np.random.Generator, division: Division, sides: Sequence[Array], recordings: int, rounds: int
) -> Iterator[list[Array]]:
    """Scores of the sides, replicates (of the former design, finals) × images, of every study of some rounds.

    In a round each side's passes are shuffled within their recording and dealt out, so that replicate r has the same
    recording on all sides.
    """
    count, size = len(sides[0]), division.replicates
    for _ in range(rounds):
        whose = random.permutation(np.arange(count) % recordings)
        order = [_shuffled(random, whose, recordings) for _ in sides]
        for first in range(0, count - size + 1, size):
            image = random.normal(scale=IMAGE, size=IMAGES)
            study = []
            for side, places in zip(sides, order, strict=True):
                finals = side[places[first : first + size]].reshape(-1, 1)
                taste = random.normal(scale=TASTE, size=IMAGES)
                study.append(finals + image + taste + random.normal(scale=REST, size=(len(finals), IMAGES)))
            yield study


def _shuffled(random: np.random.Generator, whose: Array, recordings: int) -> Array:
    """Positions of passes in random order, of the recordings that are wanted at each place."""
    places = np.empty(len(whose), dtype=int)
    for one in range(recordings):
        places[whose == one] = random.permutation(np.arange(one, len(whose), recordings))
    return places


def _difference(held: dict[str, list[float]], division: Division, a: Array, b: Array, truth: float) -> None:
    if division.former:
        half, difference, p_value = unpaired(a, b)
    else:
        compared = compare(a, b)
        interval = compared.difference
        half, difference, p_value = (interval.high - interval.low) / 2, interval.value, compared.p_value
    held["difference"].append(abs(difference - truth) <= half)
    held["found"].append(p_value < 0.05 and (difference > 0) == (truth > 0))


def _claimed(division: Division, equals: list[Array]) -> bool:
    test: Callable[[Array, Array], float] = (
        (lambda a, b: unpaired(a, b)[2]) if division.former else (lambda a, b: compare(a, b).p_value)
    )
    return min(shaffer([test(a, b) for a, b in combinations(equals, 2)])) < 0.05
