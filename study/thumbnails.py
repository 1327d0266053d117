"""Contact sheets: all pictures of a test split in one small file, so that a report can choose any of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from study.samples import to_uint8

LARGEST_SIDE = 128
SHEET_PIXELS = 16_000_000
"""More images make smaller tiles, so that a sheet stays at a few MB and below Pillow's limit."""

_BLOCK = 8  # JPEG's; tiles of whole blocks do not bleed into each other


def tile_side(count: int, size: int) -> int:
    """Side in pixels of each of `count` tiles made from images of `size` pixels."""
    most = int(math.sqrt(SHEET_PIXELS / count)) // _BLOCK * _BLOCK
    return min(size, LARGEST_SIDE, max(_BLOCK, most))


def tiles(images: Tensor, side: int) -> np.ndarray:
    """Shrink by averaging: B×3×S×S in [−1, 1] → B×side×side×3 uint8; NaN becomes mid-grey."""
    pictures = images.float().nan_to_num(0.0, 1.0, -1.0).clamp(-1, 1)
    if pictures.shape[-1] != side:
        pictures = functional.interpolate(pictures, size=(side, side), mode="area")
    return to_uint8(pictures)


def grey_tiles(grey: np.ndarray, side: int) -> np.ndarray:
    """The same for N×S×S uint8 grey images; → N×side×side×3 uint8."""
    return colour_tiles(np.repeat(grey[..., None], 3, axis=3), side)


def colour_tiles(colour: np.ndarray, side: int) -> np.ndarray:
    """The same for N×S×S×3 uint8 images."""
    return tiles(torch.from_numpy(colour).permute(0, 3, 1, 2).float() / 127.5 - 1, side)


def save_sheet(path: Path, pictures: np.ndarray) -> None:
    """Write N×side×side×3 uint8 row by row as one JPEG without chroma subsampling."""
    count, side = len(pictures), pictures.shape[1]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full((rows * columns, side, side, 3), 255, np.uint8)
    sheet[:count] = pictures
    whole = sheet.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)
    Image.fromarray(whole).save(path, "JPEG", quality=90, subsampling=0)


def load_sheet(path: Path, count: int) -> np.ndarray:
    """The first `count` pictures of a sheet that holds `count`: count×side×side×3 uint8."""
    with Image.open(path) as picture:
        whole = np.asarray(picture.convert("RGB"))
    columns = math.ceil(math.sqrt(count))
    side = whole.shape[1] // columns
    rows = whole.shape[0] // side
    return whole.reshape(rows, side, columns, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)[:count]


def truth_path(dataset: str) -> str:
    """Where the true colours of a test split lie, in the storage and among the study run's artifacts."""
    return f"test_images/{dataset}/colour.jpg"


def grey_path(dataset: str) -> str:
    """Where its grey images lie."""
    return f"test_images/{dataset}/grey.jpg"
