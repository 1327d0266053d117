"""Studies that add replicates until they are decided: how often they are wrong, how often and when they decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import median

import numpy as np

from benchmarks.former_design import unpaired
from benchmarks.measure import Options, Result
from benchmarks.situations import Array, Situation
from study.statistics import Verdict, shaffer, verdicts

FIRST, MOST = 3, 10
SITUATION = Situation("search luck 0.7", luck=0.7)
IMAGES = 739
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


CASES = (
    Case(2),
    Case(3),
    *(Case(count, difference) for count in (2, 3) for difference in (1.0, 1.5, 2.0)),
    Case(2, 1.0, most=12),
    *(Case(count, margin=margin) for count in (2, 3) for margin in (1.0, 1.25, 1.5, 2.0)),
    Case(2, 1.0, margin=1.0),
)


def run(options: Options) -> Result:
    """Every case, with a look after every replicate from the third on."""
    studies = 200 if options.quick else 2_000
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(outcomes, studies=studies), CASES))
    result = Result(
        rows=[
            {
                "architectures": case.architectures,
                "difference": case.difference,
                "margin": "–" if case.margin is None else case.margin,
                "most": case.most,
            }
            | outcome
            for case, outcome in zip(CASES, found, strict=True)
        ]
    )
    of = dict(zip(CASES, found, strict=True))
    slack = 3 * math.sqrt(0.05 * 0.95 / studies)
    wrong = max(outcome["wrong"] for outcome in found)
    result.goal(f"wrong ≤ 0.05 in every row (simulation error {slack:.3f})", wrong, at_most=0.05 + slack)
    one = of[Case(2, 1.0)]
    result.goal(
        "difference of 1: right at least as often as ten replicates at once",
        one["right"],
        at_least=one["at once"],
    )
    result.goal("difference of 1: median replicates at most 6", one["replicates"], at_most=6)
    for count in (2, 3):
        same = of[Case(count, margin=1.5)]["right"]
        result.goal(f"{count} equal architectures, margin 1.5: all equivalent in ≥ 0.8", same, at_least=0.8)
    result.notes.append(
        f"{studies} studies a row; differences and margins in standard deviations of the difference within a "
        "replicate. Right: the first is found best, or with a margin all pairs are found equivalent. Wrong: a pair of equals "
        "is told apart, the worse is called better, or a difference of the margin is called equivalent. Replicates: median until "
        "right, undecided studies counting all. At once: right with one look at ten replicates. Former: wrong with a look "
        "after every replicate, p-values taken at face value."
    )
    result.notes.append(
        "More than half of the studies cannot be decided with six replicates at a difference of 1, whatever the rule: a "
        "t test that keeps all of its 5 % for six replicates has a power of 51 %, and a rule that did so would have nothing "
        "left to come to the 80 % of ten."
    )
    return result


def outcomes(case: Case, studies: int) -> dict[str, float]:
    """Shares of studies that were wrong and right, and how many replicates it took."""
    random = np.random.default_rng(CASES.index(case))
    looks = list(range(FIRST, case.most + 1))
    wrong, right, at_once, former, replicates = [], [], [], [], []
    for _ in range(studies):
        scores = SITUATION.draw(random, case.most, IMAGES).scores[: case.architectures]
        scores[0] = scores[0] - case.difference * DEVIATION
        wrong.append(any(_wrong(case, one) for one in _told(case, scores, looks)))
        after = next((n for n in looks if _right(case, _told(case, scores, range(FIRST, n + 1)))), None)
        right.append(after is not None)
        replicates.append(after or case.most)
        at_once.append(_right(case, _told(case, scores, [MOST])))
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
    return verdicts(named, looks, looks[-1] if len(looks) == 1 else case.most, case.margin)


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
