"""Predictions that need no learning; a model that does not beat them has learnt nothing."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics.colour import lab_to_rgb, lightness_of_grey, rgb_to_lab, to_unit


def grey_copy(grey: Tensor) -> Tensor:
    """The grey image as its own prediction: B×1×H×W in [-1, 1] to B×3×H×W."""
    return grey.expand(-1, 3, -1, -1)


def white(grey: Tensor) -> Tensor:
    """All white, whatever the image: B×1×H×W to B×3×H×W of ones."""
    return torch.ones_like(grey).expand(-1, 3, -1, -1)


@dataclass(frozen=True)
class MeanChroma:
    """One tint for all images: the mean a* and b* of the training images."""

    a: float
    b: float

    def predict(self, grey: Tensor) -> Tensor:
        """Tint grey images.

        Args:
            grey: B×1×H×W in [-1, 1].

        Returns:
            B×3×H×W in [-1, 1]: L* of the input with the mean a* and b*, clipped to the gamut.
        """
        lightness = lightness_of_grey(to_unit(grey))
        lab = torch.stack(
            (lightness, torch.full_like(lightness, self.a), torch.full_like(lightness, self.b)), dim=1
        )
        return lab_to_rgb(lab).clamp_(0, 1).mul_(2).sub_(1)


def mean_chroma(
    colour: NDArray[np.uint8], train: NDArray[np.int64] | None = None, chunk: int = 64
) -> MeanChroma:
    """Measure the mean a* and b* of the training images.

    Args:
        colour: N×S×S×3 RGB, 0 to 255.
        train: Positions of the training images; all, if none are given.
        chunk: Images read and converted at once, which bounds the memory.

    Raises:
        ValueError: When there is no image.
    """
    train = np.arange(len(colour)) if train is None else train
    if len(train) == 0:
        raise ValueError("The mean chroma needs at least one training image; there is none.")
    total = torch.zeros(2, dtype=torch.float64)
    for start in range(0, len(train), chunk):
        rgb = torch.from_numpy(colour[train[start : start + chunk]]).permute(0, 3, 1, 2).float() / 255
        total += rgb_to_lab(rgb)[:, 1:].double().mean(dim=(2, 3)).sum(dim=0)
    a, b = (total / len(train)).tolist()
    return MeanChroma(a, b)
