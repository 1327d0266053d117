"""Crossed scores with known truth: realistic seeds and images, the images' scores skewed as real ones are."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

TRUE_MEAN = 12.0
IMAGE_DEVIATION = 4.0
REST_DEVIATION = 1.5
SIMULATIONS = 1000
SETTINGS = [(seeds, images) for seeds in (3, 5) for images in (72, 739)]


def seed_deviation(share: float, seeds: int, images: int) -> float:
    """The spread of seeds that makes up this share of the variance of the grand mean."""
    others = IMAGE_DEVIATION**2 / images + REST_DEVIATION**2 / (seeds * images)
    return float(np.sqrt(share / (1 - share) * others * seeds))


def image_effects(random: np.random.Generator, images: int) -> Scores:
    return IMAGE_DEVIATION * (random.gamma(2, size=images) - 2) / np.sqrt(2)


def scores(random: np.random.Generator, seeds: int, image: Scores, seed_spread: float) -> Scores:
    """Seeds × images around the true mean."""
    rest = REST_DEVIATION * random.standard_normal((seeds, len(image)))
    return TRUE_MEAN + seed_spread * random.standard_normal((seeds, 1)) + image + rest
