"""Intervals for a mean score and for a ratio of means, with seeds and images both random."""

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.interval import (
    Interval,
    Part,
    Scope,
    Scores,
    as_scores,
    image_part,
    scope_of,
    seed_part,
    symmetric,
)

BOTH = "crossed random effects of seeds and images, Cochran–Cox t"
IMAGES = "t over images"


def mean_interval(scores: ArrayLike, level: float = 0.95) -> Interval:
    """Interval for the mean score.

    Args:
        scores: Seeds × images, or images alone for one seed.
        level: Confidence level.

    Returns:
        The mean with an interval over seeds and images (scope "architecture"), or over images alone for one
        seed (scope "these trained models"). The bounds are NaN for a single image or where a score is NaN.

    Raises:
        ValueError: When `scores` is empty or has more than two axes.

    Example:
        >>> mean_interval([[10.0, 12.0, 11.0], [10.5, 12.4, 11.3]]).value
        11.2
    """
    array = as_scores(scores)
    return symmetric(float(array.mean()), _parts(array), *_label(array), level)


def ratio_interval(predicted: ArrayLike, truth: ArrayLike, level: float = 0.95) -> Interval:
    """Interval for mean(predicted) / mean(truth), by the delta method.

    The ratio's error is, to first order, the mean of (predicted - ratio · truth) / mean(truth), to which the
    same two sources of variance apply (W. G. Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 6).

    Args:
        predicted: Seeds × images, or images alone for one seed.
        truth: Images; the same for every seed.
        level: Confidence level.

    Returns:
        As `mean_interval`; everything is NaN where the truth's mean is 0.

    Raises:
        ValueError: When both do not have the same images.
    """
    array, true = as_scores(predicted), np.asarray(truth, dtype=np.float64)
    if true.shape != array.shape[1:]:
        raise ValueError(f"{array.shape[1]} images were predicted, but the truth has shape {true.shape}.")
    if true.mean() == 0:
        return Interval(np.nan, np.nan, np.nan, *_label(array))
    ratio = float(array.mean() / true.mean())
    return symmetric(ratio, _parts((array - ratio * true) / true.mean()), *_label(array), level)


def _parts(scores: Scores) -> list[Part]:
    images = image_part(scores.mean(axis=0))
    return [images] if len(scores) == 1 else [seed_part(scores), images]


def _label(scores: Scores) -> tuple[Scope, str]:
    return scope_of(scores), IMAGES if len(scores) == 1 else BOTH
