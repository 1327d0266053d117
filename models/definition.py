"""What a study must know of an architecture to search, train and export it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from models.learner import Learner
from models.settings import ModelSettings

Parameters = Mapping[str, float | str]


@dataclass(frozen=True)
class Float:
    """A real hyperparameter between `low` and `high`, searched on a logarithmic scale if `log`."""

    low: float
    high: float
    log: bool = True


@dataclass(frozen=True)
class Choice:
    """A hyperparameter that takes one of `options`."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class Architecture:
    """One way to colour images.

    Attributes:
        name: What the user calls it.
        build: Networks with fresh weights (from torch's global generator) and optimizers on a device.
        search_space: Range of each hyperparameter.
        textbook: A sound value for each hyperparameter; the first trial of every search.
        stride: Image sides must be multiples of it.
        needs_vectors: Whether it needs the VGG16 vector of each image.
        pretrained_by: Architecture whose best weights may initialise the generator.
        losses: Names of the training losses it reports.
    """

    name: str
    build: Callable[[ModelSettings, Parameters, torch.device], Learner]
    search_space: Mapping[str, Float | Choice]
    textbook: Mapping[str, float | str]
    stride: int
    needs_vectors: bool = False
    pretrained_by: str | None = None
    losses: tuple[str, ...] = ()
