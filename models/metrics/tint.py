"""The best that one tint for all images can do: no model that has learnt anything does worse."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import luma, rgb_to_lab, to_unit
from models.metrics.trivial import MeanChroma

_PIXELS = 16_384
_STEPS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25)  # of a* and b*


@torch.inference_mode()
def best_tint(colour: NDArray[np.uint8], train: NDArray[np.int64]) -> MeanChroma:
    """The constant a* and b* with the lowest mean ΔE₀₀ on the training images, the input's L* kept.

    The mean chroma is not it: ΔE₀₀ is not a squared distance, and weighs grey more than vivid colours. Found on 16384
    random pixels (the same for the same images) by steps that become smaller around the best point so far.

    Args:
        colour: N×S×S×3 RGB, 0 to 255; only the pixels that are needed are read.
        train: Positions of the training images.

    Raises:
        ValueError: When there is no image.
    """
    if len(train) == 0:
        raise ValueError("The best tint needs at least one training image; there is none.")
    rng, side = np.random.default_rng(0), colour.shape[1]
    rows, columns = rng.integers(side, size=(2, _PIXELS))
    chosen = torch.from_numpy(colour[rng.choice(train, _PIXELS), rows, columns])
    pixels = (chosen.float() / 127.5 - 1).T[None, :, None]  # 1×3×1×P
    best = MeanChroma(0.0, 0.0)
    for step in _STEPS:
        moved = True
        while moved:
            around = [
                MeanChroma(best.a + step * i, best.b + step * j) for i in (-1, 0, 1) for j in (-1, 0, 1)
            ]
            nearest = min(around, key=lambda tint: _error(tint, pixels))
            moved = _error(nearest, pixels) < _error(best, pixels)
            best = nearest if moved else best
    return best


def _error(tint: MeanChroma, colour: Tensor) -> float:
    predicted = tint.predict(luma(colour)[:, None])
    return float(delta_e_2000(rgb_to_lab(to_unit(predicted)), rgb_to_lab(to_unit(colour))).mean())
