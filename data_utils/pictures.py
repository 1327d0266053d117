"""Pictures of what a network does: grey, prediction and truth under one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from data_utils.load_dataset import ImageSet
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


def contact_sheet(rows: Mapping[str, Tensor], cell: int = _CELL) -> Image.Image:
    """One column per image, one row per name with the name at its left.

    Args:
        rows: B×3×H×W in [−1, 1] each.
        cell: Side of a picture in pixels.
    """
    label = 3 * cell
    count = len(next(iter(rows.values())))
    page = Image.new("RGB", (label + count * cell, len(rows) * cell), "white")
    pen = ImageDraw.Draw(page)
    for row, (name, images) in enumerate(rows.items()):
        pen.text((4, row * cell + cell // 2), name, fill="black", anchor="lm")
        for column, picture in enumerate(to_uint8(images.nan_to_num())):
            enlarged = Image.fromarray(picture).resize((cell, cell), Image.Resampling.NEAREST)
            page.paste(enlarged, (label + column * cell, row * cell))
    return page


def without_prediction(grid: Image.Image) -> Image.Image:
    """A sample grid with the grey input in the prediction's place."""
    height = grid.height // 3
    plain = grid.copy()
    plain.paste(grid.crop((0, 0, grid.width, height)), (0, height))
    return plain


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
