"""Probability that one architecture improves on another."""

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.components import Scores, components
from study.statistics.interval import Interval, quantile
from study.statistics.proportion import wilson_bounds


def probability_of_improvement(
    differences: Scores,
    lower_is_better: bool = True,
    level: float = 0.95,
    categories: ArrayLike | None = None,
) -> Interval:
    """Probability that a's model of a new replicate beats b's on a new image; ties count half.

    That of R. Agarwal et al.: "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS
    2021, with images for tasks and runs paired by replicate. Their bootstrap under-covers with three runs.
    Here the variance is split into replicates, categories and images, turned into the number of independent
    trials it amounts to (E. L. Korn, B. I. Graubard, Survey Methodology 24, 1998) and put into Wilson's
    interval, which stays inside [0, 1].

    Args:
        differences: Replicates × images, a minus b.
        lower_is_better: Whether a lower score wins.
        level: Confidence level.
        categories: One integer per image, or None.
    """
    wins = (np.sign(-differences if lower_is_better else differences) + 1) / 2
    found = components(wins, categories)
    value = float(np.nanmean(wins)) if found.images else np.nan
    parts = found.parts()
    variance = sum(part.variance for part in parts)
    most = np.count_nonzero(~np.isnan(wins))
    trials = found.images if variance == 0 else min(value * (1 - value) / variance, most)
    low, high = wilson_bounds(value, trials, quantile(parts, (1 - level) / 2))
    return Interval(value, low, high, found.scope, "Wilson, effective number of trials")
