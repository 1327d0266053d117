"""What a study must know of an architecture to search, train and export it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.settings import ModelSettings

if TYPE_CHECKING:
    import torch

    from models.learner import Learner

Parameters = Mapping[str, float | str]

GENERATOR_INIT = "generator_init"


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
        textbook: A sound value for each hyperparameter; see `first_trials`.
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

    def first_trials(self) -> list[dict[str, float | str]]:
        """What every search begins with: the textbook, and the textbook with a generator trained by `pretrained_by`.

        A sampler may never draw the latter, and the difference between the two is a question of its own.
        """
        trained = [
            {**self.textbook, name: self.pretrained_by}
            for name, kind in self.search_space.items()
            if self.pretrained_by and isinstance(kind, Choice) and self.pretrained_by in kind.options
        ]
        return [dict(self.textbook), *trained]
