"""Pictures for measuring: smooth colours with fine grain, about as hard to decode as photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from data_utils.image_set import ImageSet
from data_utils.splits import TRAIN
from models.vggunet import MAP_CHANNELS


def picture(size: int, seed: int) -> Image.Image:
    """A square RGB picture."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.integers(-12, 13, (size, size, 1), dtype=np.int16)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


def image_set(count: int, size: int) -> ImageSet:
    """A set of training images in memory."""
    pictures = [picture(size, seed) for seed in range(min(count, 64))]
    distinct = np.stack([np.asarray(one) for one in pictures])
    colour = np.concatenate([distinct] * -(-count // len(distinct)))[:count]
    grey = np.stack([np.asarray(one.convert("L")) for one in pictures])
    return ImageSet(
        name="synthetic",
        layout="colour-folder",
        root="synthetic",
        grey=np.concatenate([grey] * -(-count // len(grey)))[:count],
        colour=colour,
        split=np.full(count, TRAIN, np.uint8),
        category=np.full(count, -1, np.int16),
        categories=(),
        files=tuple(str(index) for index in range(count)),
        fingerprint="",
        refused=(),
        duplicates=(),
        drawn=False,
        grey_error=np.zeros(count, np.float32),
    )


def write_jpegs(folder: Path, count: int, size: int) -> list[Path]:
    """The same pictures as JPEG files."""
    paths = [folder / f"{index:05d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        picture(size, index % 64).save(path, quality=90)
    return paths


@dataclass(frozen=True)
class ConstantBatch:
    """A batch that is already on the device."""

    grey: Tensor
    colour: Tensor
    features: Tensor | tuple[Tensor, ...] | None

    @classmethod
    def on(cls, device: torch.device, batch_size: int, size: int, features: str = "vector") -> ConstantBatch:
        """A batch of noise.

        Args:
            device: Where it is to lie.
            batch_size: Images.
            size: Their side.
            features: `maps` for those of VGG16's layers, which lie in memory as `StoredFeatures` gives them.
        """
        generator = torch.Generator().manual_seed(0)
        colour = torch.rand(batch_size, 3, size, size, generator=generator) * 2 - 1
        grey = colour.mean(1, keepdim=True).to(device)
        if features == "maps":
            maps = (
                torch.rand(batch_size, size >> level, size >> level, channels, generator=generator)
                for level, channels in enumerate(MAP_CHANNELS, start=1)
            )
            return cls(grey, colour.to(device), tuple(one.to(device).movedim(-1, 1) for one in maps))
        vector = torch.rand(batch_size, 512, generator=generator)
        return cls(grey, colour.to(device), vector.to(device))
