"""Colours of the drawn fruit and vegetables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_utils.drawn.canvas import Canvas, colour_of


@dataclass(frozen=True)
class Hue:
    """A colour a fruit may have: its share, hue in degrees with deviation, saturation, mean luma."""

    share: float
    degrees: float
    deviation: float
    saturation: float
    luma: float = 0.45


# Hues overlap between kinds and luma varies more within than between them: shape has to tell the colour.
RED, DARK_RED = Hue(1, 2, 7, 0.9, 0.36), Hue(1, 350, 8, 0.85, 0.26)
GREEN, DARK_GREEN = Hue(1, 92, 12, 0.75), Hue(1, 112, 12, 0.7, 0.34)
YELLOW, ORANGE, PURPLE = Hue(1, 50, 6, 0.85, 0.62), Hue(1, 27, 6, 0.92, 0.5), Hue(1, 290, 16, 0.55, 0.24)
BROWN, PEACH = Hue(1, 34, 6, 0.5, 0.5), Hue(1, 22, 7, 0.65, 0.58)
LEAF, STALK = Hue(1, 105, 12, 0.7, 0.36), Hue(1, 45, 12, 0.5, 0.32)


LUMA_DEVIATION = 0.08


def pick(canvas: Canvas, hues: tuple[Hue, ...]) -> np.ndarray:
    """One RGB colour out of a mixture of hues."""
    shares = np.array([hue.share for hue in hues])
    hue = hues[canvas.rng.choice(len(hues), p=shares / shares.sum())]
    luma = np.clip(canvas.rng.normal(hue.luma, LUMA_DEVIATION), 0.12, 0.8)
    return colour_of(canvas.rng.normal(hue.degrees, hue.deviation), hue.saturation, luma)


def mottled(canvas: Canvas, hues: tuple[Hue, ...], cells: int = 3, strength: float = 0.6) -> np.ndarray:
    """H×W×3 colour that wanders between two picks."""
    first, second = pick(canvas, hues), pick(canvas, hues)
    mix = strength * canvas.noise(cells)[..., None]
    return first * (1 - mix) + second * mix
