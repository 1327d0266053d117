"""Where the variance of a mean score comes from: replicates, categories, images and the rest.

Every replicate's model colours every image, so scores form a crossed design,

    Y_ri = μ + replicate_r + category_c(i) + image_i + rest_ri,    all but μ random,

and with R replicates, C categories of equal size and N images in all the mean has the variance

    σ²_replicate / R + σ²_category / C + σ²_image / N + σ²_rest / (R N).

The components are those of C. R. Henderson's first method (Biometrics 9, 1953; Searle, Casella, McCulloch:
"Variance Components", 1992, chapter 5): the squared totals of each factor are set equal to their expectations.
In a complete design this is the analysis of variance. It holds as well where categories differ in size and where
replicates have test images of their own, since absent scores (NaN) only change the counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from study.statistics.interval import Part, Scope

FEWEST = 5
"""With fewer images there is no interval; fewer categories are the set's own and not a sample of others."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """A mean score and the variance components of a single one.

    Attributes:
        mean: Of all scores.
        variances: Of replicates, categories, images and the rest; 0 for what the design cannot tell from the rest.
            They are unbiased and may be negative.
        weights: What each is multiplied by in the variance of the mean, such as 1/R for replicates.
        replicates: Number of replicates that have scores.
        categories: Number of categories; 0 where they are no level of the design.
        images: Number of images that have scores.
    """

    mean: float
    variances: Scores
    weights: Scores
    replicates: int
    categories: int
    images: int

    @property
    def scope(self) -> Scope:
        """What can be said: one replicate speaks only for the configurations at hand."""
        return "architecture" if self.replicates > 1 else "these configurations"

    @property
    def method(self) -> str:
        """How an interval is made of this, for a footnote."""
        images = "images within categories" if self.categories else "images"
        if self.replicates > 1:
            return f"random effects of replicates and {images}, Cochran–Cox t"
        return f"random effects of {images}, t"

    @property
    def single_variance(self) -> float:
        """Variance of one score of a random replicate on a random image."""
        replicate, category, image, rest = self.variances
        return _positive(replicate) + _positive(category) + _positive(image + rest)

    def parts(self) -> list[Part]:
        """The variance of the mean: one part from images and, with several replicates, one from these.

        The rest counts with the replicates, so that their part is the observed variance of the replicates' means,
        of which nothing is subtracted. Counted with the images it has to be taken off the replicates' part; with
        few replicates what is left is often near 0, and of three equal architectures some are then told apart
        in up to 12 % of studies (with three replicates).
        """
        if self.images < FEWEST:
            return [Part(np.nan, 1)]
        replicate, category, image, rest = self.variances * self.weights
        category = _positive(category)  # categories that look alike do not make images more certain
        freedom = (self.categories or self.images) - 1
        if self.replicates == 1:
            return [Part(_positive(category + image + rest), freedom)]
        of_replicates = Part(_positive(replicate + rest), self.replicates - 1)
        return [Part(_positive(category + image), freedom), of_replicates]

    def with_replicates(self, count: int) -> Components:
        """The same components in a study of the same images with another number of replicates."""
        ratio = self.replicates / count
        weights = self.weights * [ratio, 1, 1, ratio]
        return replace(self, weights=weights, replicates=count)


def as_scores(scores: ArrayLike) -> Scores:
    """Check an array of scores.

    Args:
        scores: Replicates × images, or images alone for one replicate.

    Raises:
        ValueError: When it has another shape, or no entry.
    """
    array = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"Scores must be an array of replicates × images; got the shape {np.shape(scores)}.")
    return array


def components(scores: Scores, categories: ArrayLike | None = None) -> Components:
    """Estimate the variance components of scores.

    Args:
        scores: Replicates × images; NaN where a replicate has no score of an image, such as one that is not in
            its test split. Rows and columns of NaN alone count as absent.
        categories: One integer per image, or None. Fewer than five of them are not used.

    Raises:
        ValueError: When there is not one category per image.
    """
    if categories is not None and np.shape(categories) != scores.shape[1:]:
        raise ValueError(f"{scores.shape[1]} images need as many categories; got {np.shape(categories)}.")
    there = ~np.isnan(scores)
    if not there.all():
        rows, columns = there.any(axis=1), there.any(axis=0)
        there, scores = there[np.ix_(rows, columns)], scores[np.ix_(rows, columns)]
        categories = None if categories is None else np.asarray(categories)[columns]
    if not scores.size:
        return Components(np.nan, np.full(4, np.nan), np.full(4, np.nan), 0, 0, 0)
    replicates, images = scores.shape
    member = _membership(categories, images)
    levels = member.shape[1] if member.shape[1] > 1 else 0
    n, n_r, n_i, n_rc = there.sum(), there.sum(axis=1), there.sum(axis=0), there @ member
    expected, of_all = _expectations(n, n_r, n_i, n_rc, member)
    mean = float(scores.sum(where=there) / n)
    centred = np.where(there, scores - mean, 0.0)
    by_replicate, by_image = centred.sum(axis=1), centred.sum(axis=0)
    squares = np.array(
        [
            (by_replicate**2 / n_r).sum(),
            ((by_image @ member) ** 2 / n_rc.sum(axis=0)).sum(),
            (by_image**2 / n_i).sum(),
            (centred**2).sum(),
        ]
    )
    told = np.flatnonzero([replicates > 1, levels > 1, n > images, n > 1])
    solution, *_ = np.linalg.lstsq((expected - of_all)[np.ix_(told, told)], squares[told], rcond=None)
    variances = np.full(4, 0.0 if n > 1 else np.nan)
    variances[told] = solution
    return Components(mean, variances, of_all / n, replicates, levels, images)


def _expectations(n: int, n_r: Scores, n_i: Scores, n_rc: Scores, member: Scores) -> tuple[Scores, Scores]:
    """What one unit of each variance component adds to Σ total² / number of scores.

    Args:
        n: Number of scores.
        n_r: The same by replicate.
        n_i: By image.
        n_rc: Replicates × categories.
        member: Images × categories, 1 where an image belongs.

    Returns:
        The totals by replicate, category, image and score (rows) × components, and the same for the total of all.
    """
    n_c = n_rc.sum(axis=0)
    by_replicate = [n, (n_rc**2 / n_r[:, None]).sum(), len(n_r), len(n_r)]
    by_category = [(n_rc**2 / n_c).sum(), n, (n_i**2 @ member / n_c).sum(), len(n_c)]
    by_image = [len(n_i), n, n, len(n_i)]
    by_score = [n, n, n, n]
    of_all = np.array([n_r @ n_r, n_c @ n_c, n_i @ n_i, n]) / n
    return np.array([by_replicate, by_category, by_image, by_score]), of_all


def _membership(categories: ArrayLike | None, images: int) -> Scores:
    """Images × categories, 1 where an image belongs; a single column where categories are no level."""
    if categories is not None:
        names, index = np.unique(np.asarray(categories), return_inverse=True)
        if FEWEST <= len(names) < images:
            return np.eye(len(names))[index]
    return np.ones((images, 1))


def _positive(variance: float) -> float:
    return float(np.maximum(variance, 0.0))  # stays NaN where max() would not
