"""How often the statistics' 95 % intervals hold the truth, and how often equal architectures are told apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.former_design import unpaired
from benchmarks.measure import Options, Result
from benchmarks.situations import ARCHITECTURES, MEAN, RATIO, SITUATIONS, SIZES, Situation
from study.statistics import (
    Comparison,
    Interval,
    compare,
    mean_interval,
    ratio_interval,
    shaffer,
    without_collapsed,
)

DIFFERENCE = 0.8
COVERED = ("mean", "ratio", "difference", "effect size", "even chance")
FORMER = 4
"""In every fourth study the former design is looked at too."""
LOWEST, HIGHEST = 0.93, 0.97
PAIRS = list(combinations(range(ARCHITECTURES), 2))
EXPLAINED = (
    "{studies} studies a row; the standard error of a coverage or of claims is about {error:.4f}. Claims: of three "
    "equal architectures at least one pair is told apart after Shaffer's correction. Given: comparisons with two or "
    "more replicates; where collapses leave one, the interval speaks of configurations and does not count. The "
    "difference of means, where there is one, is {difference}. Former: all finals from one search and one start, "
    "compared as independent seeds without regard to collapse and categories; how often its interval of a difference "
    "holds 0, and its claims, in every fourth study."
)
WIDE = (
    "Above 0.97, that is, wider than need be: {rows}. Where replicates and images add about equally to the error, the "
    "quantile between that of few replicates and that of many images errs on the safe side. Satterthwaite's, which is "
    "narrower, would tell equals apart 2.6 times as often as allowed where it errs on the other."
)
NARROW = "Below 0.93: {rows}."


def run(options: Options) -> Result:
    """Every situation with every number of replicates and images."""
    studies = 200 if options.quick else 2_000
    settings = [(situation, *size) for situation in SITUATIONS for size in SIZES]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(coverage, studies=studies), *zip(*settings, strict=True)))
    result = Result(
        rows=[
            {"situation": situation.name, "replicates": replicates, "images": images} | held
            for (situation, replicates, images), held in zip(settings, found, strict=True)
        ]
    )
    for name in COVERED:
        values = [row[name] for row in result.rows]
        result.goal(f"{name}: coverage at least {LOWEST}, lowest row", min(values), at_least=LOWEST)
        result.goal(f"{name}: coverage at most {HIGHEST}, highest row", max(values), at_most=HIGHEST)
    claims = math.sqrt(0.05 * 0.95 / studies)
    bound = 0.05 + 3 * claims
    result.goal(
        "claims of three equals at most 0.05 (+ 3 standard errors), highest row",
        max(row["claims"] for row in result.rows),
        at_most=bound,
    )
    result.notes.append(EXPLAINED.format(studies=studies, error=claims, difference=DIFFERENCE))
    if wide := _named(result.rows, lambda value: value > HIGHEST):
        result.notes.append(WIDE.format(rows=wide))
    if narrow := _named(result.rows, lambda value: value < LOWEST):
        result.notes.append(NARROW.format(rows=narrow))
    return result


def coverage(situation: Situation, replicates: int, images: int, studies: int) -> dict[str, float]:
    """Shares of studies in which each interval holds the truth."""
    random = np.random.default_rng([SITUATIONS.index(situation), replicates, images])
    held: dict[str, list[bool]] = {
        name: [] for name in (*COVERED, "claims", "given", "former", "former claims")
    }

    def count(name: str, interval: Interval, truth: float) -> None:
        if interval.scope == "architecture":
            held[name].append(interval.low <= truth <= interval.high)

    for number in range(studies):
        study = situation.draw(random, replicates, images)
        sides = [without_collapsed(*side) for side in zip(study.scores, study.collapsed, strict=True)]
        predicted = without_collapsed(study.predicted(0), study.collapsed[0])
        count("mean", mean_interval(sides[0], categories=study.categories), MEAN)
        count("ratio", ratio_interval(predicted, study.truth, categories=study.categories), RATIO)
        equal = [compare(sides[a], sides[b], categories=study.categories) for a, b in PAIRS]
        for one in equal:
            count("difference", one.difference, 0.0)
            count("even chance", one.improvement, 0.5)
        better = compare(sides[0] - DIFFERENCE, sides[1], categories=study.categories)
        count("effect size", better.effect_size, -DIFFERENCE / situation.single_deviation(0, 1))
        held["claims"].append(_claimed(equal))
        held["given"] += [one.difference.scope == "architecture" for one in equal]
        if number % FORMER:
            continue
        former = situation.draw(random, replicates, images, shared=True).scores
        compared = [unpaired(former[a], former[b]) for a, b in PAIRS]
        held["former"] += [abs(difference) <= half for half, difference, _ in compared]
        held["former claims"].append(min(shaffer([p_value for _, _, p_value in compared])) < 0.05)
    return {name: float(np.mean(hits)) for name, hits in held.items()}


def _claimed(comparisons: list[Comparison]) -> bool:
    """Whether any two architectures are told apart; a claim on configurations is none on architectures."""
    p_values = [one.p_value if one.difference.scope == "architecture" else math.nan for one in comparisons]
    return any(p < 0.05 for p in shaffer(p_values))


def _named(rows: list[dict[str, Any]], outside: Callable[[float], bool]) -> str:
    """The rows and columns whose coverage is outside, in words."""
    named = []
    for row in rows:
        if columns := [name for name in COVERED if outside(row[name])]:
            setting = f"{row['situation']}, {row['replicates']} × {row['images']}"
            named.append(f"{setting} ({', '.join(columns)})")
    return "; ".join(named)
