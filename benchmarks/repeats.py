"""Many image files from few: crops, mirrored and brightened ones of photographs, or of drawn scenes without any."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from data_utils.drawn.scenes import draw_scene
from data_utils.folders import EXTENSIONS

DRAWN = 256  # pictures, where there are no photographs
QUALITY = 80
_BLOCK = 500  # files that a process writes at a time


def write_repeats(folder: Path, count: int, size: int) -> str:
    """Write so many square JPEG files, each a changed copy of one of the originals; those that exist are kept.

    Args:
        folder: Made if missing.
        count: Files.
        size: Side in pixels.

    Returns:
        What the originals are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photographs = _photographs()
    write = partial(_write, folder, photographs, size)
    missing = [number for number in range(count) if not _path(folder, number).exists()]
    blocks = [missing[k : k + _BLOCK] for k in range(0, len(missing), _BLOCK)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        list(pool.map(write, blocks))
    return f"{len(photographs)} photographs" if photographs else f"{DRAWN} drawn scenes"


def _photographs() -> list[Path]:
    root = os.environ.get("COLORIZATION_DATA")
    files = sorted(Path(root).rglob("*")) if root else []
    return [path for path in files if path.suffix.lower() in EXTENSIONS and not _is_grey(path)]


def _is_grey(path: Path) -> bool:
    with Image.open(path) as picture:
        return picture.mode != "RGB"


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:07d}.jpg"


def _write(folder: Path, photographs: Sequence[Path], size: int, numbers: Sequence[int]) -> None:
    for number in numbers:
        original = number % (len(photographs) or DRAWN)
        picture = _opened(photographs[original]) if photographs else _drawn(original, size)
        path = _path(folder, number)
        fresh = path.with_suffix(".new")
        _changed(picture, size, np.random.default_rng([7, number])).save(fresh, "JPEG", quality=QUALITY)
        os.replace(fresh, path)


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


@cache
def _drawn(number: int, size: int) -> Image.Image:
    return Image.fromarray(draw_scene(size, np.random.default_rng([7, number])))


def _changed(picture: Image.Image, size: int, rng: np.random.Generator) -> Image.Image:
    width, height = picture.size
    side = min(width, height) * rng.uniform(0.85, 1.0)
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    box = (left, top, left + side, top + side)
    part = picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    if rng.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return ImageEnhance.Brightness(part).enhance(rng.uniform(0.85, 1.15))
