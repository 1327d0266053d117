"""Batches of noise for the model tests."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Images:
    """A batch as the learners see it."""

    grey: Tensor
    colour: Tensor
    vector: Tensor | None


def images(count: int = 4, size: int = 16, seed: int = 0) -> Images:
    generator = torch.Generator().manual_seed(seed)
    colour = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    vector = torch.rand(count, 512, generator=generator)
    return Images(colour.mean(dim=1, keepdim=True), colour, vector)


class Batches:
    """Three batches an epoch that depend on the epoch's number alone."""

    def epoch(self, number: int) -> Iterator[Images]:
        return (images(seed=100 * number + step) for step in range(3))
