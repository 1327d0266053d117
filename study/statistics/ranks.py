"""Do early values foretell final ones? Rank correlations with intervals."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from study.statistics.interval import Interval


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
