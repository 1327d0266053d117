"""From an interval to a word."""

import math
from typing import Literal

Decision = Literal["seen", "not seen", "not decided"]


def decide(low: float, high: float, threshold: float, side: Literal["above", "below"] = "above") -> Decision:
    """Was an effect seen?

    Args:
        low: Lower bound of the interval.
        high: Upper bound.
        threshold: Where the effect begins.
        side: On which side of the threshold it lies.

    Returns:
        "seen" when the whole interval lies beyond the threshold, "not seen" when all of it lies on the other
        side, and "not decided" when the threshold is inside or a bound is NaN.
    """
    if math.isnan(low) or math.isnan(high):
        return "not decided"
    above, below = low > threshold, high < threshold
    if not (above or below):
        return "not decided"
    return "seen" if above == (side == "above") else "not seen"
