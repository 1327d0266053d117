"""How often the statistics' 95 % intervals hold the truth, and how often equal architectures are told apart."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations

import numpy as np

from benchmarks.crossed_scores import (
    MEAN,
    RATIO,
    SETTINGS,
    architectures,
    chance_of_improvement,
    image_effects,
    one_architecture,
    quantities,
    seed_deviation,
    single_deviation,
)
from benchmarks.measure import Options, Result
from study.statistics import Interval, compare, holm, mean_interval, ratio_interval

SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
DIFFERENCE = 0.8
TOLERANCE = 0.02


def run(options: Options) -> Result:
    """Every number of seeds and images, and every share of the seeds in the variance of a mean."""
    simulations = 500 if options.quick else 5_000
    settings = [(*setting, share) for setting in SETTINGS for share in SHARES]
    with ProcessPoolExecutor() as pool:
        found = pool.map(partial(coverage, simulations=simulations), *zip(*settings, strict=True))
        names = ("seeds", "images", "seeds' share")
        result = Result(
            rows=[
                dict(zip(names, setting, strict=True)) | held
                for setting, held in zip(settings, found, strict=True)
            ]
        )
    for name in result.rows[0]:
        values = [row[name] for row in result.rows]
        if name.startswith("claims"):
            result.goal(f"{name} ≤ 0.07, every row", max(values), at_most=0.05 + TOLERANCE)
        elif name not in names:
            worst = max(values, key=lambda value: abs(value - 0.95))
            result.goal(f"{name}: coverage 0.95 ± 0.02, every row", worst, at_least=0.93, at_most=0.97)
    error = (0.95 * 0.05 / simulations) ** 0.5
    result.notes.append(
        f"{simulations} simulations a row, standard error of a coverage about {error:.4f}. Images' scores are skewed; "
        "seeds' share: of the variance of an architecture's mean score. Claims: of three equal architectures at "
        "least one pair is told apart after Holm's correction. The difference, where there is one, is "
        f"{DIFFERENCE}; a single score's deviation is at least 4.4."
    )
    return result


def coverage(seeds: int, images: int, share: float, simulations: int) -> dict[str, float]:
    """Shares of simulations in which each interval holds the truth."""
    random = np.random.default_rng([seeds, images, round(100 * share)])
    spread = seed_deviation(share, seeds, images)
    held: dict[str, int] = {}

    def count(name: str, hit: bool) -> None:
        held[name] = held.get(name, 0) + hit

    for _ in range(simulations):
        alone = one_architecture(random, seeds, image_effects(random, images), spread)
        count("mean", _holds(mean_interval(alone), MEAN))
        count("ratio", _holds(ratio_interval(*quantities(random, seeds, images, share)), RATIO))
        three = architectures(random, 3, seeds, images, spread)
        equal = [compare(a, b) for a, b in combinations(three, 2)]
        found = compare(three[0], three[1] + DIFFERENCE)
        count("difference", _holds(found.difference, -DIFFERENCE))
        count("effect size", _holds(found.effect_size, -DIFFERENCE / single_deviation(spread)))
        count("even chance", _holds(equal[0].improvement, 0.5))
        count("better chance", _holds(found.improvement, chance_of_improvement(DIFFERENCE, spread)))
        count("claims of equals", min(holm([one.p_value for one in equal])) < 0.05)
    return {name: hits / simulations for name, hits in held.items()}


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high
