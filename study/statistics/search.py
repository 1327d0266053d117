"""What a search got for its budget, and whether early values foretold final ones; lower values are better."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from study.statistics.interval import Interval


def incumbent(values: ArrayLike, costs: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best value so far against what had been spent.

    Args:
        values: One per trial, in the order in which they ended; NaN or infinite for a trial that failed,
            which is charged but is never best.
        costs: One per trial, at least 0, in any unit.

    Returns:
        Spent (cumulative cost) and best (NaN before the first finite value), each as long as `values`.

    Raises:
        ValueError: When the lengths differ or a cost is negative.
    """
    value, cost = np.asarray(values, dtype=np.float64), np.asarray(costs, dtype=np.float64)
    if value.shape != cost.shape or value.ndim != 1:
        raise ValueError(f"Values and costs must pair up; their shapes are {value.shape} and {cost.shape}.")
    if np.any(cost < 0):
        raise ValueError("A trial cannot cost less than nothing.")
    best = np.minimum.accumulate(np.where(np.isfinite(value), value, np.inf))
    return np.cumsum(cost), np.where(np.isinf(best), np.nan, best)


def expected_best(values: ArrayLike) -> NDArray[np.float64]:
    """Expected best validation value of 1, 2, … random trials.

    J. Dodge et al.: "Show your work: improved reporting of experimental results", EMNLP 2019, for a
    minimum. The n trials are drawn with replacement from those made, so the estimate is only meaningful for
    trials drawn at random, and it is pessimistic near the end of the curve.

    Args:
        values: Of random trials; NaN and infinite ones (failed) count as the worst value that was finite.

    Returns:
        Entry n - 1 is for n trials; as long as `values`, all NaN when no value is finite.
    """
    value = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(value)
    if not finite.any():
        return np.full(len(value), np.nan)
    ordered = np.sort(np.where(finite, value, value[finite].max()))
    count = len(ordered)
    trials = np.arange(1, count + 1)[:, None]
    at_least = (np.arange(count, -1, -1) / count) ** trials  # P(all n draws are among the worst count - i)
    expected: NDArray[np.float64] = (at_least[:, :-1] - at_least[:, 1:]) @ ordered
    return expected


def rank_correlation(
    early: ArrayLike,
    final: ArrayLike,
    kind: Literal["spearman", "kendall"] = "spearman",
    level: float = 0.95,
) -> Interval:
    """Rank correlation with an interval on Fisher's z scale.

    The variance of z is (1 + ρ²/2) / (n - 3) for Spearman's ρ (D. G. Bonett, T. A. Wright, Psychometrika 65,
    2000) and 0.437 / (n - 4) for Kendall's τ (E. C. Fieller, H. O. Hartley, E. S. Pearson, Biometrika 44,
    1957).

    Args:
        early: One value per trial; pairs with a NaN are left out.
        final: Same length.
        kind: Which correlation.
        level: Confidence level.

    Returns:
        The correlation, NaN for fewer than two pairs or constant values; bounds are NaN for fewer than five.

    Raises:
        ValueError: When the lengths differ.
    """
    x, y = np.asarray(early, dtype=np.float64), np.asarray(final, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"Early and final values must pair up; their shapes are {x.shape} and {y.shape}.")
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    method = f"{kind}, Fisher z"
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Interval(math.nan, math.nan, math.nan, "these configurations", method)
    correlate = stats.spearmanr if kind == "spearman" else stats.kendalltau
    value = float(correlate(x, y).statistic)
    if len(x) < 5:
        return Interval(value, math.nan, math.nan, "these configurations", method)
    variance = (1 + value**2 / 2) / (len(x) - 3) if kind == "spearman" else 0.437 / (len(x) - 4)
    half = float(stats.norm.isf((1 - level) / 2)) * math.sqrt(variance)
    z = math.atanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    return Interval(value, math.tanh(z - half), math.tanh(z + half), "these configurations", method)
