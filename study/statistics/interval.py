"""What every interval is made of: variance from seeds, variance from images, and a quantile between both.

Scores form a crossed design: every seed's model colours every image. With Y_ij = μ + seed_i + image_j +
rest_ij, all three random, the grand mean of S seeds and N images has the variance

    σ²_seed / S + σ²_image / N + σ²_rest / (S N),

and the sum of the two parts below estimates it without bias before clipping (Searle, Casella, McCulloch:
"Variance Components", 1992). The seeds' part rests on S - 1 degrees of freedom, the images' on N - 1.
Satterthwaite's single t quantile covers only 92 % in simulation for three seeds where most of the variance,
but not all, is the seeds'. Here the quantile is the mean of both parts' t quantiles, weighted with their
variances (W. G. Cochran, G. M. Cox: "Experimental Designs", 2nd ed. 1957), which errs on the safe side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

Scope = Literal["architecture", "these trained models"]
SMALLEST_P = 1e-12
"""Smaller p-values are reported as this; the tails say nothing of data there."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: The estimate.
        low: Lower bound; NaN where the data allow none.
        high: Upper bound; NaN where the data allow none.
        scope: What the interval speaks of. "architecture": a new training with a new seed, on new images.
            "these trained models": new images only, since one seed says nothing about others.
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


@dataclass(frozen=True)
class Part:
    """One source of an estimate's variance, with the degrees of freedom it was measured with."""

    variance: float
    freedom: float


def as_scores(scores: ArrayLike) -> Scores:
    """Check an array of scores.

    Args:
        scores: Seeds × images, or images alone for one seed.

    Raises:
        ValueError: When it has another shape, or no entry.
    """
    array = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"Scores must be an array of seeds × images; got the shape {np.shape(scores)}.")
    return array


def scope_of(*scores: Scores) -> Scope:
    """What can be said: one seed of any side speaks only for the models at hand."""
    return "architecture" if min(len(side) for side in scores) > 1 else "these trained models"


def image_part(per_image: Scores) -> Part:
    """Variance of a mean over images: (N) to σ²_image / N, which holds the rest's share too."""
    count = len(per_image)
    return Part(float(np.var(per_image, ddof=1)) / count, count - 1) if count > 1 else Part(math.nan, 1)


def seed_part(*sides: Scores) -> Part:
    """Variance of the mean over seeds, σ²_seed / S, or of the difference of two such means.

    Args:
        sides: One or two arrays of seeds × images, whose seeds are independent.

    Returns:
        The sides' variances, added and then clipped at 0 (clipping each would leave too much), with the
        degrees of freedom of B. L. Welch, Biometrika 34, 1947.
    """
    variances = [_seed_variance(side) for side in sides]
    freedoms = [len(side) - 1 for side in sides]
    total = max(0.0, sum(variances))
    spread = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    freedom = total**2 / spread if spread > 0 else math.inf
    return Part(total, min(max(freedom, min(freedoms)), sum(freedoms)))


def _seed_variance(scores: Scores) -> float:
    """σ²_seed / S cleared of the rest's contribution: S×N, at least two seeds; may come out negative."""
    seeds, images = scores.shape
    if images == 1:
        return math.nan
    seed_means = scores.mean(axis=1)
    rest = scores - seed_means[:, None] - scores.mean(axis=0) + scores.mean()
    rest_variance = float(np.sum(rest**2)) / ((seeds - 1) * (images - 1))
    return float(np.var(seed_means, ddof=1) / seeds - rest_variance / (seeds * images))


def standard_error(parts: list[Part]) -> float:
    """Square root of the parts' total variance."""
    return math.sqrt(sum(part.variance for part in parts))


def quantile(parts: list[Part], tail: float) -> float:
    """The number of standard errors that the estimate exceeds with probability `tail` on one side."""
    total = sum(part.variance for part in parts)
    weights = [part.variance / total for part in parts] if total > 0 else [1 / len(parts)] * len(parts)
    return -sum(w * float(stdtrit(part.freedom, tail)) for w, part in zip(weights, parts, strict=True))


def symmetric(value: float, parts: list[Part], scope: Scope, method: str, level: float) -> Interval:
    """Estimate plus and minus quantile times standard error."""
    half = quantile(parts, (1 - level) / 2) * standard_error(parts)
    return Interval(value, value - half, value + half, scope, method)


def two_sided_p(value: float, parts: list[Part]) -> float:
    """The p-value of "the true value is 0", below 1 - level exactly where `symmetric` excludes 0."""
    error = standard_error(parts)
    if math.isnan(error) or math.isnan(value):
        return math.nan
    if value == 0:
        return 1.0
    if error == 0 or quantile(parts, SMALLEST_P / 2) <= abs(value) / error:
        return SMALLEST_P
    log_p = brentq(
        lambda log_p: quantile(parts, math.exp(log_p) / 2) - abs(value) / error, math.log(SMALLEST_P), 0.0
    )
    return math.exp(log_p)
