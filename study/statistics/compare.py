"""Is one architecture better than another, and by how much?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.improvement import probability_of_improvement
from study.statistics.interval import (
    Interval,
    Part,
    Scores,
    as_scores,
    image_part,
    quantile,
    scope_of,
    seed_part,
    standard_error,
    symmetric,
    two_sided_p,
)

BOTH = "paired by image, seeds of both sides random, Cochran–Cox t"
IMAGES = "paired t over images"


@dataclass(frozen=True)
class Comparison:
    """Architecture a against architecture b on the same images.

    Attributes:
        difference: Mean score of a minus that of b.
        p_value: Two-sided, of "no difference"; uncorrected, see `holm`.
        effect_size: The difference in standard deviations of a single score.
        improvement: Probability that a model of a is better than one of b on an image.
    """

    difference: Interval
    p_value: float
    effect_size: Interval
    improvement: Interval


def compare(
    a_scores: ArrayLike, b_scores: ArrayLike, lower_is_better: bool = True, level: float = 0.95
) -> Comparison:
    """Compare two architectures, accounting for the luck of seeds and for the choice of images.

    The images are shared, so their part is that of the differences by image; the seeds of both sides are
    independent, so their variances add. A test over images alone would call the luck of a seed a
    difference between architectures.

    Args:
        a_scores: Seeds of a × images, or images alone for one seed.
        b_scores: Seeds of b × the same images in the same order.
        lower_is_better: Whether a lower score is an improvement.
        level: Confidence level of all intervals.

    Returns:
        The comparison; with one seed on either side all of it speaks for "these trained models" only. With
        one image bounds and p-value are NaN.

    Raises:
        ValueError: When both sides do not have the same number of images.
    """
    a, b = as_scores(a_scores), as_scores(b_scores)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"Both sides need the same images; one has {a.shape[1]}, the other {b.shape[1]}.")
    difference = float(a.mean() - b.mean())
    scope = scope_of(a, b)
    images = image_part(a.mean(axis=0) - b.mean(axis=0))
    parts = [images] if scope == "these trained models" else [seed_part(a, b), images]
    method = IMAGES if scope == "these trained models" else BOTH
    return Comparison(
        difference=symmetric(difference, parts, scope, method, level),
        p_value=two_sided_p(difference, parts),
        effect_size=_effect_size(difference, parts, a, b, level),
        improvement=probability_of_improvement(a, b, lower_is_better, level),
    )


def _effect_size(difference: float, parts: list[Part], a: Scores, b: Scores, level: float) -> Interval:
    """Difference over the standard deviation of one score, with all variance components of both sides.

    J. Westfall, D. A. Kenny, C. M. Judd: "Statistical power and optimal design in experiments in which
    samples of participants respond to samples of stimuli", J. Exp. Psychology: General 143, 2014. The
    interval adds the uncertainty of the standard deviation (L. V. Hedges, I. Olkin: "Statistical Methods for
    Meta-Analysis", 1985).
    """
    deviation = math.sqrt((_total_variance(a) + _total_variance(b)) / 2)
    if not deviation > 0:
        return Interval(math.nan, math.nan, math.nan, scope_of(a, b), "no variance to standardise by")
    value = difference / deviation
    error = math.hypot(standard_error(parts) / deviation, value / math.sqrt(2 * (a.shape[1] - 1)))
    half = quantile(parts, (1 - level) / 2) * error
    return Interval(value, value - half, value + half, scope_of(a, b), "Westfall–Kenny–Judd d")


def _total_variance(scores: Scores) -> float:
    """Variance of one score of a random seed on a random image: S×N to σ²_seed + σ²_image + σ²_rest."""
    seeds, images = scores.shape
    if images == 1:
        return math.nan
    within_seeds = float(np.mean(np.var(scores, axis=1, ddof=1)))
    return within_seeds + (seeds * seed_part(scores).variance if seeds > 1 else 0.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for being several (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    Args:
        p_values: All tests of one family, such as all pairs of architectures on one dataset. NaN stands for
            a test that could not be made: it stays NaN and does not count.

    Returns:
        Corrected values in the same order.
    """
    made = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(made):
        largest = max(largest, min(1.0, (len(made) - rank) * p))
        corrected[index] = largest
    return corrected
