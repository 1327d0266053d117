"""An estimate with its bounds, from the parts of its variance and a quantile between them.

Satterthwaite's single t quantile covers only 92 % in simulation for three replicates where most of the variance,
but not all, is the replicates'. Here the quantile is the mean of the parts' t quantiles, weighted with their
variances (W. G. Cochran, G. M. Cox: "Experimental Designs", 2nd ed. 1957), which errs on the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy.optimize import brentq
from scipy.special import stdtrit

Scope = Literal["architecture", "these configurations"]
SMALLEST_P = 1e-12
"""Smaller p-values are reported as this; the tails say nothing of data there."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: The estimate.
        low: Lower bound; NaN where the data allow none.
        high: Upper bound; NaN where the data allow none.
        scope: What the interval speaks of. "architecture": a new replicate (split, search, start and seed) on
            new images. "these configurations": new images only, since one replicate says nothing of others.
        method: How it was computed, for a footnote.
    """

    value: float
    low: float
    high: float
    scope: Scope
    method: str

    def within(self, lowest: float, highest: float) -> Interval:
        """The part of the interval that is possible at all; it holds the truth as often."""
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest))

    def __neg__(self) -> Interval:
        """That of the difference the other way round."""
        return replace(self, value=-self.value, low=-self.high, high=-self.low)

    def __format__(self, number: str) -> str:
        """`0.13 [-0.34, 0.60]`, each as `number` says; the value alone where it has no bounds."""
        value = format(self.value, number)
        if not math.isfinite(self.low):
            return value
        return f"{value} [{format(self.low, number)}, {format(self.high, number)}]"


@dataclass(frozen=True)
class Part:
    """One source of an estimate's variance, with the degrees of freedom it was measured with."""

    variance: float
    freedom: float


def standard_error(parts: Sequence[Part]) -> float:
    """Square root of the parts' total variance."""
    return math.sqrt(sum(part.variance for part in parts))


def quantile(parts: Sequence[Part], tail: float) -> float:
    """The number of standard errors that the estimate exceeds with probability `tail` on one side."""
    total = sum([part.variance for part in parts])
    if not total > 0:
        return -sum([float(stdtrit(part.freedom, tail)) for part in parts]) / len(parts)
    return -sum([part.variance * float(stdtrit(part.freedom, tail)) for part in parts]) / total


def half_width(parts: Sequence[Part], level: float) -> float:
    """Quantile times standard error."""
    return quantile(parts, (1 - level) / 2) * standard_error(parts)


def symmetric(value: float, parts: Sequence[Part], scope: Scope, method: str, level: float) -> Interval:
    """Estimate plus and minus half the interval's width."""
    half = half_width(parts, level)
    return Interval(value, value - half, value + half, scope, method)


def two_sided_p(value: float, parts: Sequence[Part]) -> float:
    """The p-value of "the true value is 0", below 1 - level exactly where `symmetric` excludes 0."""
    error = standard_error(parts)
    if math.isnan(error) or math.isnan(value):
        return math.nan
    if value == 0:
        return 1.0
    if error == 0 or quantile(parts, SMALLEST_P / 2) <= abs(value) / error:
        return SMALLEST_P
    log_p = brentq(
        lambda log_p: quantile(parts, math.exp(log_p) / 2) - abs(value) / error,
        math.log(SMALLEST_P),
        0.0,
        xtol=1e-13,
    )
    return math.exp(log_p)
