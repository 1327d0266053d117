"""Pictures of what a network does: grey, prediction and truth under one another."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from data_utils.dataset import ImageSet
from data_utils.splits import VALIDATION

SHOWN = 6
_CELL = 96


def sample_indices(images: ImageSet) -> np.ndarray:
    """The validation images that every trial shows: evenly spaced, so that categories vary."""
    validation = images.indices(VALIDATION)
    return validation[np.linspace(0, len(validation) - 1, min(SHOWN, len(validation))).astype(int)]


def to_uint8(image: Tensor) -> np.ndarray:
    """B×3×H×W in [−1, 1] → B×H×W×3 uint8."""
    levels = (image.clamp(-1, 1) + 1) * 127.5
    return levels.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def sample_grid(grey: Tensor, prediction: Tensor, truth: Tensor) -> Image.Image:
    """One column per image; rows: grey, prediction, truth. Small images are enlarged to be seen.

    Args:
        grey: B×1×H×W in [−1, 1].
        prediction: B×3×H×W in [−1, 1].
        truth: B×3×H×W in [−1, 1].
    """
    rows = [to_uint8(grey.expand(-1, 3, -1, -1)), to_uint8(prediction.nan_to_num()), to_uint8(truth)]
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    picture = Image.fromarray(sheet)
    factor = max(1, round(_CELL / grey.shape[-1]))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def without_prediction(grid: Image.Image) -> Image.Image:
    """A sample grid with the grey input in the prediction's place."""
    height = grid.height // 3
    plain = grid.copy()
    plain.paste(grid.crop((0, 0, grid.width, height)), (0, height))
    return plain
