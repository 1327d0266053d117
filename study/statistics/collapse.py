"""Trainings that collapsed: how often, and what the others say."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from study.statistics.components import Scores, as_scores
from study.statistics.interval import Interval
from study.statistics.proportion import wilson


def collapse_rate(collapsed: ArrayLike, level: float = 0.95) -> Interval:
    """Probability that a replicate of an architecture collapses.

    Args:
        collapsed: One flag per replicate.
        level: Confidence level of Wilson's interval.
    """
    flags = np.asarray(collapsed, dtype=bool)
    return replace(wilson(int(flags.sum()), flags.size, level), scope="architecture")


def without_collapsed(scores: ArrayLike, collapsed: ArrayLike) -> Scores:
    """Scores in which collapsed replicates are absent, so that all that is computed speaks of the others.

    A mean over collapsed and sound trainings is a mean of two different things, and a few replicates rarely hold both
    in proportion.

    Args:
        scores: Replicates × images.
        collapsed: One flag per replicate, by a rule that the test split has no part in.

    Returns:
        A copy with NaN in the rows of collapsed replicates. The others keep their row, so that the replicates of two
        architectures still pair up.

    Raises:
        ValueError: When there is not one flag per replicate.
    """
    array, flags = as_scores(scores), np.asarray(collapsed, dtype=bool)
    if flags.shape != array.shape[:1]:
        raise ValueError(f"{len(array)} replicates need as many flags; got {flags.shape}.")
    return np.where(flags[:, None], np.nan, array)
