"""Intervals for a mean score and for a ratio of means, with replicates and images both random."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from study.statistics.components import as_scores, components
from study.statistics.interval import Interval, symmetric


def mean_interval(scores: ArrayLike, level: float = 0.95, categories: ArrayLike | None = None) -> Interval:
    """Interval for the mean score.

    Args:
        scores: Replicates × images, or images alone for one replicate; NaN where a replicate has no score.
        level: Confidence level.
        categories: One integer per image; the images' part is then computed over categories too.

    Returns:
        The mean with an interval over replicates and images (scope "architecture"), or over images alone for
        one replicate (scope "these configurations"). The bounds are NaN for fewer than five images.

    Raises:
        ValueError: When `scores` is empty or has more than two axes, or categories do not match the images.

    Example:
        >>> mean_interval([[10.0, 12.0, 11.0], [10.5, 12.4, 11.3]]).value
        11.2
    """
    found = components(as_scores(scores), categories)
    return symmetric(found.mean, found.parts(), found.scope, found.method, level)


def entropy_scores(histograms: ArrayLike) -> NDArray[np.float64]:
    """Scores whose mean over images is the entropy of their histograms together, and varies with images as it does.

    The entropy to first order around the pooled histogram: what an image adds is the derivative by its own histogram.

    Args:
        histograms: …×images×bins of non-negative weights; NaN where an image is absent.

    Returns:
        …×images, in bits; 0 where all histograms are empty.
    """
    array = np.asarray(histograms, dtype=np.float64)
    pooled = np.nanmean(array, axis=-2, keepdims=True)
    total = pooled.sum(axis=-1, keepdims=True)
    share = pooled / np.where(total > 0, total, 1)
    bits = -np.log2(np.where(share > 0, share, 1))  # what has no weight in any image adds nothing
    entropy = (share * bits).sum(axis=-1, keepdims=True)
    slope = np.where(share > 0, bits - entropy, 0) / np.where(total > 0, total, 1)
    return np.asarray(entropy[..., 0] + (array * slope).sum(axis=-1))


def ratio_interval(
    predicted: ArrayLike, truth: ArrayLike, level: float = 0.95, categories: ArrayLike | None = None
) -> Interval:
    """Interval for mean(predicted) / mean(truth), by the delta method.

    The ratio's error is, to first order, the mean of (predicted - ratio · truth) / mean(truth), to which the
    same sources of variance apply (W. G. Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 6).

    Args:
        predicted: Replicates × images, or images alone for one replicate; NaN where a replicate has no score.
        truth: Images; the same for every replicate.
        level: Confidence level.
        categories: As for `mean_interval`.

    Returns:
        As `mean_interval`; everything is NaN where the truth's mean is 0.

    Raises:
        ValueError: When both do not have the same images.
    """
    array, true = as_scores(predicted), np.asarray(truth, dtype=np.float64)
    if true.shape != array.shape[1:]:
        raise ValueError(f"{array.shape[1]} images were predicted, but the truth has shape {true.shape}.")
    true = np.where(np.isnan(array), np.nan, true)  # the truth of the very scores that are there
    if np.isnan(true).all() or np.nanmean(true) == 0:
        found = components(array)
        return Interval(np.nan, np.nan, np.nan, found.scope, found.method)
    mean = np.nanmean(true)
    ratio = float(np.nanmean(array) / mean)
    found = components((array - ratio * true) / mean, categories)
    return symmetric(ratio, found.parts(), found.scope, found.method, level)
