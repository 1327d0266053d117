"""How often the statistics' 95 % intervals hold the truth, and how often equal architectures are told apart."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations

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
PAIRS = list(combinations(range(ARCHITECTURES), 2))


def run(options: Options) -> Result:
    """Every situation with every number of replicates and images."""
    simulations = 500 if options.quick else 4_000
    rows = [(situation, *size) for situation in SITUATIONS for size in SIZES]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(coverage, simulations=simulations), *zip(*rows, strict=True)))
    result = Result(
        rows=[
            {"situation": situation.name, "replicates": replicates, "images": images} | held
            for (situation, replicates, images), held in zip(rows, found, strict=True)
        ]
    )
    for name in COVERED:
        worst = max((row[name] for row in result.rows), key=lambda value: abs(value - 0.95))
        result.goal(f"{name}: coverage 0.95 ± 0.02, every row", worst, at_least=0.93, at_most=0.97)
    result.goal("claims ≤ 0.05, every row", max(row["claims"] for row in result.rows), at_most=0.05)
    error = (0.95 * 0.05 / simulations) ** 0.5
    result.notes.append(
        f"{simulations} studies a row, standard error of a coverage about {error:.4f}. Claims: of three equal "
        "architectures at least one pair is told apart after Shaffer's correction. Given: comparisons that have two "
        "replicates or more on both sides; after collapses the others speak of configurations alone, and coverage is "
        f"that of the given ones. The difference, where there is one, is {DIFFERENCE}. Former: one search and one start "
        "for all seeds, collapsed trainings and categories not told apart, unpaired; its difference and claims."
    )
    return result


def coverage(situation: Situation, replicates: int, images: int, simulations: int) -> dict[str, float]:
    """Shares of studies in which each interval holds the truth."""
    random = np.random.default_rng([SITUATIONS.index(situation), replicates, images])
    held: dict[str, list[bool]] = {
        name: [] for name in (*COVERED, "claims", "given", "former", "former claims")
    }
    for _ in range(simulations):
        study = situation.draw(random, replicates, images)
        sides = [without_collapsed(*side) for side in zip(study.scores, study.collapsed, strict=True)]
        _count(held, "mean", mean_interval(sides[0], categories=study.categories), MEAN)
        kept = without_collapsed(study.predicted(0), study.collapsed[0])
        _count(held, "ratio", ratio_interval(kept, study.truth, categories=study.categories), RATIO)
        equal = [compare(sides[a], sides[b], categories=study.categories) for a, b in PAIRS]
        for (a, b), one in zip(PAIRS, equal, strict=True):
            _count(held, "difference", one.difference, 0.0)
            _count(held, "even chance", one.improvement, 0.5)
        better = compare(sides[0] - DIFFERENCE, sides[1], categories=study.categories)
        _count(held, "effect size", better.effect_size, -DIFFERENCE / situation.effect_deviation(0, 1))
        held["claims"].append(_claimed(equal))
        held["given"] += [one.difference.scope == "architecture" for one in equal]
        former = situation.draw(random, replicates, images, shared=True).scores
        halves, differences, p_values = zip(*(unpaired(former[a], former[b]) for a, b in PAIRS), strict=True)
        held["former"] += [abs(d) <= half for d, half in zip(differences, halves, strict=True)]
        held["former claims"].append(min(shaffer(p_values)) < 0.05)
    return {name: float(np.mean(hits)) for name, hits in held.items()}


def _count(held: dict[str, list[bool]], name: str, interval: Interval, truth: float) -> None:
    if interval.scope == "architecture":
        held[name].append(interval.low <= truth <= interval.high)


def _claimed(comparisons: list[Comparison]) -> bool:
    """Whether any two architectures are told apart; a claim on configurations alone is none on architectures."""
    p_values = [
        one.p_value if one.difference.scope == "architecture" else float("nan") for one in comparisons
    ]
    return any(p < 0.05 for p in shaffer(p_values))
