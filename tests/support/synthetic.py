"""Batches of noise for the model tests."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.architectures import architecture
from models.metrics import luma
from models.vgg import MAP_LAYERS

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Images:
    """A batch as the learners see it."""

    grey: Tensor
    colour: Tensor
    features: Tensor | tuple[Tensor, ...] | None


def images(name: str = "koalarization", count: int = 4, size: int = 16, seed: int = 0) -> Images:
    """A batch with the features that an architecture needs; grey is the luma of the colours."""
    generator = torch.Generator().manual_seed(seed)
    colour = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    features = features_for(name, count, (size, size), generator)
    return Images(luma(colour)[:, None], colour, features)


def features_for(
    name: str, count: int, sides: tuple[int, int], generator: torch.Generator | None = None
) -> Tensor | tuple[Tensor, ...] | None:
    """Noise where VGG16's features would be."""
    kind = architecture(name).features
    if kind == "vector":
        return torch.rand(count, 512, generator=generator)
    if kind == "maps":
        return tuple(
            torch.rand(count, channels, sides[0] >> level, sides[1] >> level, generator=generator)
            for level, channels in enumerate(MAP_LAYERS.values(), start=1)
        )
    return None


@dataclass(frozen=True)
class Batches:
    """Three batches an epoch that depend on the epoch's number alone."""

    name: str = "koalarization"

    def __len__(self) -> int:
        return 3

    def epoch(self, number: int) -> Iterator[Images]:
        return (images(self.name, seed=100 * number + step) for step in range(3))
