"""Crossed scores with known truth: realistic seeds and images, the images' scores skewed as real ones are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

MEAN, RATIO = 12.0, 0.6
IMAGE_DEVIATION = 4.0
TASTE_DEVIATION = 1.0
"""Of what an architecture does better or worse on an image than the others."""
REST_DEVIATION = 1.5
SETTINGS = [(seeds, images) for seeds in (3, 5) for images in (72, 739)]


def seed_deviation(share: float, seeds: int, images: int) -> float:
    """The spread of seeds that makes up this share of the variance of an architecture's mean score."""
    others = IMAGE_DEVIATION**2 / images + REST_DEVIATION**2 / (seeds * images)
    return math.sqrt(share / (1 - share) * others * seeds)


def image_effects(random: np.random.Generator, images: int) -> Scores:
    """How hard each image is: mean 0, skewed to the right."""
    return IMAGE_DEVIATION * (random.gamma(2, size=images) - 2) / math.sqrt(2)


def one_architecture(random: np.random.Generator, seeds: int, image: Scores, seed_spread: float) -> Scores:
    """Seeds × images around `MEAN`."""
    rest = REST_DEVIATION * random.standard_normal((seeds, len(image)))
    return MEAN + seed_spread * random.standard_normal((seeds, 1)) + image + rest


def architectures(
    random: np.random.Generator, count: int, seeds: int, images: int, seed_spread: float
) -> list[Scores]:
    """Several that do not differ in the mean, on the same images; each has its own taste in images."""
    image = image_effects(random, images)
    return [
        one_architecture(random, seeds, image + TASTE_DEVIATION * random.standard_normal(images), seed_spread)
        for _ in range(count)
    ]


def single_deviation(seed_spread: float) -> float:
    """Standard deviation of one score of a random seed on a random image."""
    return math.hypot(IMAGE_DEVIATION, TASTE_DEVIATION, REST_DEVIATION, seed_spread)


def chance_of_improvement(difference: float, seed_spread: float) -> float:
    """Probability that a model whose mean score is lower by `difference` wins on an image."""
    margin = math.hypot(TASTE_DEVIATION, REST_DEVIATION, seed_spread)
    return (1 + math.erf(difference / margin / 2)) / 2


def quantities(random: np.random.Generator, seeds: int, images: int, share: float) -> tuple[Scores, Scores]:
    """A positive quantity of predictions (seeds × images) and of the truth (images), whose means have ratio `RATIO`."""
    spread = seed_deviation(share, seeds, images) / MEAN
    truth = 20 + 5 * random.standard_normal(images)
    own = 3 * random.standard_normal((seeds, images)) + 4 * random.standard_normal(images)
    return RATIO * truth * (1 + spread * random.standard_normal((seeds, 1))) + own, truth
