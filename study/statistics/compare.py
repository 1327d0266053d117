"""Is one architecture better than another, and by how much?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.components import Components, Scores, as_scores, components
from study.statistics.interval import Interval, quantile, standard_error, symmetric, two_sided_p
from study.statistics.proportion import wilson_bounds


@dataclass(frozen=True)
class Comparison:
    """Architecture a against architecture b, paired by replicate and image.

    Attributes:
        difference: Mean score of a minus that of b.
        p_value: Two-sided, of "no difference"; neither for several pairs nor for several looks, see `verdicts`.
        effect_size: The difference in standard deviations of a single score.
        improvement: Probability that a's model of a replicate beats b's on an image.
        replicates: Number of replicates compared.
        left_out: Number of replicates that both sides have begun and one side has no score of: it collapsed.
            Where there are any, all of this speaks of trainings that did not collapse.
    """

    difference: Interval
    p_value: float
    effect_size: Interval
    improvement: Interval
    replicates: int
    left_out: int


def compare(
    a_scores: ArrayLike,
    b_scores: ArrayLike,
    lower_is_better: bool = True,
    level: float = 0.95,
    categories: ArrayLike | None = None,
) -> Comparison:
    """Compare two architectures, accounting for the luck of replicates and for the choice of images.

    Replicate r has the same split for all architectures, and a cell that starts from a U-Net takes that of its own
    replicate. So what is independent are the differences within replicates, and everything is computed from them. A
    test over images alone would call the luck of a search a difference between architectures.

    Replicates that only one side has are left out. To use them, both sides would have to count as independent: in
    simulation (3 replicates against 6, 5 against 10) intervals are then 14 to 21 % wider where the sides share a
    start, and 25 to 40 % narrower where they share nothing, not even a split.

    Args:
        a_scores: Replicates of a × images, or images alone for one replicate; NaN for absent scores.
        b_scores: Replicates of b × the same images in the same order; row r of both is replicate r.
        lower_is_better: Whether a lower score is an improvement.
        level: Confidence level of all intervals.
        categories: One integer per image, or None.

    Returns:
        The comparison; with one replicate all of it speaks for "these configurations" only. With fewer than five
        images bounds and p-value are NaN.

    Raises:
        ValueError: When both sides do not have the same number of images.
    """
    a, b = as_scores(a_scores), as_scores(b_scores)
    differences = paired(a, b)
    found = components(differences, categories)
    parts = found.parts()
    return Comparison(
        difference=symmetric(found.mean, parts, found.scope, f"paired differences, {found.method}", level),
        p_value=two_sided_p(found.mean, parts),
        effect_size=_effect_size(found, a, b, level, categories),
        improvement=_improvement(differences, lower_is_better, level, categories),
        replicates=found.replicates,
        left_out=len(differences) - found.replicates,
    )


def paired(a: Scores, b: Scores) -> Scores:
    """Differences within the replicates that both sides have: replicates × images.

    Raises:
        ValueError: When both sides do not have the same number of images.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"Both sides need the same images; one has {a.shape[1]}, the other {b.shape[1]}.")
    common = min(len(a), len(b))
    return a[:common] - b[:common]


def _effect_size(
    found: Components, a: Scores, b: Scores, level: float, categories: ArrayLike | None
) -> Interval:
    """Difference over the standard deviation of one score, with all variance components of both sides.

    J. Westfall, D. A. Kenny, C. M. Judd: "Statistical power and optimal design in experiments in which
    samples of participants respond to samples of stimuli", J. Exp. Psychology: General 143, 2014. The
    interval adds the uncertainty of the standard deviation (L. V. Hedges, I. Olkin: "Statistical Methods for
    Meta-Analysis", 1985).
    """
    a_variance, b_variance = (components(side, categories).single_variance for side in (a, b))
    deviation = math.sqrt((a_variance + b_variance) / 2)
    if not deviation > 0 or found.images < 2:
        return Interval(math.nan, math.nan, math.nan, found.scope, "no variance to standardise by")
    value, parts = found.mean / deviation, found.parts()
    error = math.hypot(standard_error(parts) / deviation, value / math.sqrt(2 * (found.images - 1)))
    half = quantile(parts, (1 - level) / 2) * error
    return Interval(value, value - half, value + half, found.scope, "Westfall–Kenny–Judd d")


def _improvement(
    differences: Scores, lower_is_better: bool, level: float, categories: ArrayLike | None
) -> Interval:
    """Probability that a's model of a new replicate beats b's on a new image; ties count half.

    That of R. Agarwal et al.: "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS
    2021, with images for tasks and runs paired by replicate. Their bootstrap under-covers with three runs.
    Here the variance is split into replicates, categories and images, turned into the number of independent
    trials it amounts to (E. L. Korn, B. I. Graubard, Survey Methodology 24, 1998) and put into Wilson's
    interval, which stays inside [0, 1].
    """
    wins = (np.sign(-differences if lower_is_better else differences) + 1) / 2
    found = components(wins, categories)
    parts = found.parts()
    value = found.mean
    variance = sum(part.variance for part in parts)
    trials = found.images if variance == 0 else value * (1 - value) / variance
    most = np.count_nonzero(~np.isnan(wins))
    low, high = wilson_bounds(value, float(np.minimum(trials, most)), quantile(parts, (1 - level) / 2))
    return Interval(value, low, high, found.scope, "Wilson, effective number of trials")
