"""Crossed scores of three equal architectures with known truth, for everything that chance may do in a study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MEAN, RATIO = 12.0, 0.6
IMAGE, TASTE, REST = 4.0, 1.0, 1.5
"""Standard deviations: how hard an image is, what an architecture does better on it than others, and the rest."""
SEED = 0.15
CATEGORIES = 20
ARCHITECTURES = 3


@dataclass(frozen=True)
class Study:
    """What one simulated study measured.

    Attributes:
        scores: Replicates × images of each architecture; all have the mean `MEAN`.
        collapsed: One flag per replicate of each.
        categories: One integer per image, or None.
        truth: A positive quantity per image, of which `predicted` has the share `RATIO` in the mean.
    """

    scores: list[Array]
    collapsed: list[NDArray[np.bool_]]
    categories: NDArray[np.int64] | None
    truth: Array

    def predicted(self, architecture: int) -> Array:
        """Replicates × images of the quantity whose truth is `truth`."""
        return RATIO * self.truth + self.scores[architecture] - MEAN


@dataclass(frozen=True)
class Situation:
    """What chance decides in a study.

    Attributes:
        name: What the row is called.
        luck: Standard deviation of the luck of a replicate's search, beside its seed's.
        start: Correlation of finals of the third architecture that start from one network of the second; 0 for none.
        collapse: Probability that a training collapses.
        categories: Intraclass correlation of images within categories; None for images without.
        heavy: Whether all effects have Student's t distribution with 3 degrees of freedom.
        unequal: Factors of the architectures' standard deviations of replicates and of taste.
    """

    name: str
    luck: float = 0.3
    start: float = 0.0
    collapse: float = 0.0
    categories: float | None = None
    heavy: bool = False
    unequal: Sequence[float] = (1.0, 1.0, 1.0)

    @property
    def spread(self) -> float:
        """Standard deviation of a replicate's effect where variances are equal."""
        return math.hypot(self.luck, SEED)

    def single_deviation(self, a: int, b: int) -> float:
        """Root mean square of the standard deviations of single scores of two architectures."""
        of_one = [IMAGE**2 + REST**2 + self.unequal[one] ** 2 * (TASTE**2 + self.spread**2) for one in (a, b)]
        return math.sqrt(sum(of_one) / 2)

    def draw(self, random: np.random.Generator, replicates: int, images: int, shared: bool = False) -> Study:
        """One study.

        Args:
            random: Where luck comes from.
            replicates: How many; finals of one search in a `shared` one.
            images: Size of the test split.
            shared: The former design: one search and one start for all finals, so that only seeds are independent.
        """
        category = np.arange(images) % CATEGORIES if self.categories is not None else None
        image = IMAGE * self._of_images(random, category, images, skewed=not self.heavy)
        effects = self._replicates(random, replicates, shared)
        scores, flags = [], []
        for effect, factor in zip(effects, self.unequal, strict=True):
            taste = factor * TASTE * self._of_images(random, category, images, skewed=False)
            rest = REST * self._noise(random, (replicates, images))
            collapsed = random.random(replicates) < self.collapse
            fallen = np.where(collapsed, random.uniform(2, 6, replicates), 0.0)
            scores.append(MEAN + (factor * effect + fallen)[:, None] + image + taste + rest)
            flags.append(collapsed)
        return Study(scores, flags, category, 20 + image)

    def _replicates(self, random: np.random.Generator, replicates: int, shared: bool) -> Array:
        """Architectures × replicates."""
        luck = self._noise(random, (ARCHITECTURES, 1 if shared else replicates))
        effects = self.luck * luck + SEED * self._noise(random, (ARCHITECTURES, replicates))
        if self.start:
            giver = np.repeat(effects[1, :1], replicates) if shared else effects[1]
            effects[2] = math.sqrt(self.start) * giver + math.sqrt(1 - self.start) * effects[2]
        return effects

    def _of_images(
        self, random: np.random.Generator, category: NDArray[np.int64] | None, images: int, skewed: bool
    ) -> Array:
        """One standardised effect per image, part of it its category's."""
        own = (random.gamma(2, size=images) - 2) / math.sqrt(2) if skewed else self._noise(random, (images,))
        if category is None:
            return own
        share = self.categories or 0.0
        return math.sqrt(share) * self._noise(random, (CATEGORIES,))[category] + math.sqrt(1 - share) * own

    def _noise(self, random: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return random.standard_t(3, shape) / math.sqrt(3) if self.heavy else random.standard_normal(shape)


SITUATIONS = (
    Situation("independent seeds", luck=0.0),
    Situation("shared start", start=0.9),
    Situation("search luck 0.3"),
    Situation("search luck 0.7", luck=0.7),
    Situation("collapse 0.1", collapse=0.1),
    Situation("collapse 0.33", collapse=0.33),
    Situation("categories, ICC 0.2", categories=0.2),
    Situation("categories, ICC 0.5", categories=0.5),
    Situation("heavy tails", heavy=True),
    Situation("unequal variances", unequal=(0.3, 1.0, 3.0)),
)
SIZES = [(replicates, images) for replicates in (3, 5) for images in (72, 739)]
