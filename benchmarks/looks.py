"""Studies that add replicates until they are decided: how often they are wrong, how often and when they decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import combinations
from statistics import median

import numpy as np

from benchmarks.former_design import unpaired
from benchmarks.measure import Options, Result
from benchmarks.situations import Array, Situation
from study.statistics import Verdict, shaffer, verdicts

FIRST, MOST = 3, 10
SITUATION, IMAGES = Situation("luck of replicates alone", luck=3.0), 72
DEVIATION = math.sqrt(2) * SITUATION.spread
"""Of the difference of two architectures within a replicate."""


@dataclass(frozen=True)
class Case:
    """One row, all in standard deviations of the difference within a replicate.

    Attributes:
        architectures: How many are compared.
        difference: How much better the first is than the others, which are equal.
        margin: Below which a difference does not matter; None for none.
        most: Replicates at which the study ends.
    """

    architectures: int
    difference: float = 0.0
    margin: float | None = None
    most: int = MOST

    def described(self) -> dict[str, object]:
        """The row's first columns."""
        return asdict(self) | {"margin": "–" if self.margin is None else self.margin}


CASES = (
    Case(2),
    Case(3),
    Case(2, 1.0),
    Case(2, 1.5),
    Case(2, 2.0),
    Case(3, 1.0),
    Case(3, 2.0),
    Case(2, 1.0, most=12),
    Case(2, margin=1.25),
    Case(2, margin=1.5),
    Case(3, margin=1.5),
    Case(3, margin=2.0),
    Case(2, 1.0, margin=1.0),
)
EXPLAINED = (
    "{studies} studies a row with a look after each replicate from the third on; differences and margins in standard "
    "deviations of the difference within a replicate. Wrong: equals are told apart, the worse is called better, or a "
    "difference of the margin is called equivalent. Right: the first is found best, or with a margin all pairs are "
    "equivalent. Replicates: median until right, undecided studies included. At once: right with a single look at ten. "
    "Former: equals told apart when p-values of independent seeds are taken at face value at every look."
)
IMPOSSIBLE = (
    "At a difference of 1 no rule decides half of the studies within six replicates and reaches the power of ten: a t "
    "test that keeps its whole 5 % for six replicates has a power of 51 %, and then nothing is left for later looks."
)


def run(options: Options) -> Result:
    """Every case."""
    studies = 200 if options.quick else 2_000
    with ProcessPoolExecutor() as pool:
        found = dict(zip(CASES, pool.map(partial(outcomes, studies=studies), CASES), strict=True))
    result = Result(rows=[case.described() | outcome for case, outcome in found.items()])
    bound = 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
    result.goal(
        "wrong at most 0.05 (+ 3 standard errors), highest row",
        max(outcome["wrong"] for outcome in found.values()),
        at_most=bound,
    )
    one = found[Case(2, 1.0)]
    result.goal("difference of 1: right as often as with ten at once", one["right"], at_least=one["at once"])
    result.goal("difference of 1: median replicates at most 6", one["replicates"], at_most=6)
    for case in (Case(2, margin=1.5), Case(3, margin=2.0)):
        text = f"{case.architectures} equals, margin {case.margin:g}: equivalent in at least 0.8"
        result.goal(text, found[case]["right"], at_least=0.8)
    result.notes += [EXPLAINED.format(studies=studies), IMPOSSIBLE]
    return result


def outcomes(case: Case, studies: int) -> dict[str, float]:
    """Shares of studies that were wrong and right, and how many replicates it took."""
    random = np.random.default_rng(CASES.index(case))
    looks = list(range(FIRST, case.most + 1))
    wrong, right, at_once, former, replicates = [], [], [], [], []
    for _ in range(studies):
        scores = SITUATION.draw(random, case.most, IMAGES).scores[: case.architectures]
        scores[0] = scores[0] - case.difference * DEVIATION
        told = _told(case, scores, looks)  # what one look has decided stays decided
        wrong.append(any(_wrong(case, one) for one in told))
        right.append(_right(case, told))
        replicates.append(_replicates_until_right(case, scores, looks) if right[-1] else case.most)
        at_once.append(_right(case, _told(replace(case, most=MOST), scores, [MOST])))
        former.append(case.difference == 0 and _ever_told_apart(scores))
    return {
        "wrong": float(np.mean(wrong)),
        "right": float(np.mean(right)),
        "replicates": float(median(replicates)),
        "at once": float(np.mean(at_once)),
        "former": float(np.mean(former)),
    }


def _told(case: Case, scores: list[Array], looks: Sequence[int]) -> list[Verdict]:
    named = {str(number): one for number, one in enumerate(scores)}
    margin = None if case.margin is None else case.margin * DEVIATION
    return verdicts(named, looks, case.most, margin)


def _replicates_until_right(case: Case, scores: list[Array], looks: list[int]) -> int:
    return next(look for look in looks if _right(case, _told(case, scores, range(FIRST, look + 1))))


def _wrong(case: Case, one: Verdict) -> bool:
    differs = case.difference > 0 and "0" in (one.a, one.b)
    if one.word == "equivalent":
        return differs and case.difference >= (case.margin or 0)
    return one.word == "better" and not (differs and one.a == "0")


def _right(case: Case, told: list[Verdict]) -> bool:
    if case.difference:
        of_first = [one for one in told if "0" in (one.a, one.b)]
        return all(one.word == "better" and one.a == "0" for one in of_first)
    return case.margin is not None and all(one.word == "equivalent" for one in told)


def _ever_told_apart(scores: list[Array]) -> bool:
    """Whether the former comparison, asked after each replicate, ever claims a difference."""
    for count in range(FIRST, MOST + 1):
        p_values = [unpaired(a[:count], b[:count])[2] for a, b in combinations(scores, 2)]
        if min(shaffer(p_values)) < 0.05:
            return True
    return False
