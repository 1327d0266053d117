"""Probability that one architecture improves on another."""

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.interval import (
    Interval,
    as_scores,
    image_part,
    quantile,
    scope_of,
    seed_part,
)
from study.statistics.proportion import wilson_bounds


def probability_of_improvement(
    a_scores: ArrayLike, b_scores: ArrayLike, lower_is_better: bool = True, level: float = 0.95
) -> Interval:
    """Probability that a random model of a beats a random model of b on a random image; ties count half.

    The estimate is that of R. Agarwal et al.: "Deep reinforcement learning at the edge of the statistical
    precipice", NeurIPS 2021, with images for tasks. Its bootstrap under-covers with three seeds.
    Here the variance is split into seeds of a, seeds of b and images, turned into the number of independent
    trials it amounts to (E. L. Korn, B. I. Graubard, Survey Methodology 24, 1998) and put into Wilson's
    interval, which stays inside [0, 1].

    Args:
        a_scores: Seeds of a × images.
        b_scores: Seeds of b × the same images.
        lower_is_better: Whether a lower score wins.
        level: Confidence level.
    """
    a, b = as_scores(a_scores), as_scores(b_scores)
    margin = a[:, None, :] - b[None, :, :]  # seeds of a × seeds of b × images
    wins = (np.sign(-margin if lower_is_better else margin) + 1) / 2
    wins = np.where(np.isnan(margin), np.nan, wins)
    value = float(wins.mean())
    parts = [image_part(wins.mean(axis=(0, 1)))]
    scope = scope_of(a, b)
    if scope == "architecture":
        parts.append(seed_part(wins.mean(axis=1), wins.mean(axis=0)))
    variance = sum(part.variance for part in parts)
    trials = min(value * (1 - value) / variance, wins.size) if variance > 0 else a.shape[1]
    low, high = wilson_bounds(value, trials, quantile(parts, (1 - level) / 2))
    return Interval(value, low, high, scope, "Wilson, effective number of trials")
