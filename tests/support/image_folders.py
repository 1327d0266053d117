"""Small image folders of every known layout."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance


def picture(seed: int, width: int = 24, height: int = 24) -> Image.Image:
    """A smooth picture of its own for each seed."""
    corners = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def colour_folder(root: Path, count: int = 12, category: str = "") -> Path:
    for number in range(count):
        save(root / category / f"photo{number:02d}.png", picture(number + 1000 * len(category)))
    return root


def natural_color(root: Path, categories: tuple[str, ...] = ("Apple", "Pear"), count: int = 10) -> Path:
    for index, category in enumerate(categories):
        for number in range(count):
            image, name = picture(100 * index + number), f"{category.lower()}{number}.png"
            save(root / "ColorfulOriginal" / category / name, image)
            save(root / "Gray" / category / name, image.convert("L"))
    return root


def kaggle_pairs(root: Path, train: int = 20, test: int = 4) -> Path:
    for number in range(train + test):
        side, image, name = "train" if number < train else "test", picture(number), f"image{number:04d}.png"
        save(root / f"{side}_color" / name, image)
        save(root / f"{side}_black" / name, image.convert("L"))
    return root


def changed(image: Image.Image, change: str) -> Image.Image:
    """Another file of the same picture."""
    width, height = image.size
    if change == "re-saved":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=60)
        return Image.open(buffer).convert("RGB")
    if change == "half size":
        return image.resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    if change == "mirrored":
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if change == "cropped":  # 3 % at every edge
        left, top = round(0.03 * width), round(0.03 * height)
        return image.crop((left, top, width - left, height - top))
    if change == "brightened":
        return ImageEnhance.Brightness(image).enhance(1.25)
    raise ValueError(change)
