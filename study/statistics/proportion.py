"""Wilson's interval for a proportion."""

import math

from scipy.special import ndtri

from study.statistics.interval import Interval


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Interval for a proportion (E. B. Wilson, J. American Statistical Association 22, 1927).

    Args:
        successes: At most `trials`.
        trials: Independent trials; with none, everything is NaN.
        level: Confidence level.

    Raises:
        ValueError: When there are more successes than trials, or a negative number of either.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials are impossible.")
    value = successes / trials if trials else math.nan
    low, high = wilson_bounds(value, trials, float(ndtri((1 + level) / 2)))
    return Interval(value, low, high, "these configurations", "Wilson")


def wilson_bounds(share: float, trials: float, quantile: float) -> tuple[float, float]:
    """Wilson's bounds for a share seen in a number of trials, which may be fractional."""
    if not trials > 0 or math.isnan(share):
        return math.nan, math.nan
    square = quantile**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = quantile * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
