"""How training images are varied on the device; every random number comes from the caller."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

AUGMENTATIONS = ("flip", "crop")
SMALLEST_CROP = 0.75  # of the side; below it, objects that fill the image lose their outline


def mirror(pixels: Tensor, flip: Tensor) -> Tensor:
    """Reverse the columns of those images (B×C×S×S) whose flag (B bool) is set."""
    rows = torch.arange(len(flip), device=flip.device) + len(flip) * flip
    # Choosing whole images from both versions is several times faster than torch.where on bytes.
    return torch.cat([pixels, pixels.flip(3)]).index_select(0, rows)


def random_windows(count: int, rng: np.random.Generator) -> np.ndarray:
    """Square windows inside images that reach from −1 to 1.

    Returns:
        count×3 float32: half the side (0.75 to 1), and the centre's x and y.
    """
    half = rng.uniform(SMALLEST_CROP, 1, (count, 1))
    centre = rng.uniform(-1, 1, (count, 2)) * (1 - half)
    return np.concatenate([half, centre], axis=1).astype(np.float32)


def crop(pixels: Tensor, windows: Tensor) -> Tensor:
    """Cut a window out of each image and enlarge it to the image's size, bilinearly.

    Args:
        pixels: B×C×S×S, uint8 or float.
        windows: B×3 of `random_windows`.

    Returns:
        B×C×S×S float32 in the unit of `pixels`.
    """
    half, x, y = windows.unbind(1)
    zero = torch.zeros_like(half)
    affine = torch.stack([half, zero, x, zero, half, y], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(affine, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels.float(), grid, padding_mode="border", align_corners=False)
