"""What a study must know of an architecture to search, train and export it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.errors import ModelError
from models.hyperparameters import Choice, Float, Int, Parameters, Space, Value, active, check_space
from models.settings import ModelSettings

if TYPE_CHECKING:
    import torch

    from models.learner import Learner

__all__ = ["Architecture", "Choice", "Float", "Int", "Parameters", "Value"]


@dataclass(frozen=True)
class Architecture:
    """One way to colour images.

    Attributes:
        name: What the user calls it.
        build: Networks with fresh weights (from torch's global generator) and optimizers on a device.
        search_space: Range of each hyperparameter, choices before what depends on them; see `models.hyperparameters`.
        textbook: A sound value for each hyperparameter, those of conditional ones used where they exist; see
            `first_trials`.
        stride: Image sides must be multiples of it.
        features: What it needs of VGG16 beside each image: `vector`, `maps` (see `models.vgg`) or nothing.
        pretrained_by: Architecture whose best weights may initialise the generator; an option of `start_parameter`.
        losses: Names of what it reports of its training beside anything called `…loss`; a NaN is a divergence.
        optional: Range of further hyperparameters, which are searched only where a study says so.
        defaults: Their values elsewhere.
        textbook_luma_kept: What replaces textbook values where networks keep the luma.

    Raises:
        ModelError: The textbook lies outside the search space, or a condition cannot be decided.
    """

    name: str
    build: Callable[[ModelSettings, Parameters, torch.device], Learner]
    search_space: Space
    textbook: Parameters
    stride: int
    features: str | None = None
    pretrained_by: str | None = None
    losses: tuple[str, ...] = ()
    optional: Space = field(default_factory=dict)
    defaults: Parameters = field(default_factory=dict)
    textbook_luma_kept: Parameters = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_space(self.search_space)
        if set(self.textbook) != set(self.search_space):
            raise ModelError(
                f"The textbook of {self.name} must have a value for each of {', '.join(self.search_space)}, and "
                "no other."
            )
        for name, kind in self.search_space.items():
            if not kind.contains(self.textbook[name]):
                raise ModelError(
                    f"The textbook of {self.name} has {name} {self.textbook[name]}, which is outside its range."
                )

    def is_loss(self, name: str) -> bool:
        """Whether a reported value is of the training, and not of the validation."""
        return name in self.losses or name.endswith("loss")

    @property
    def start_parameter(self) -> str | None:
        """The hyperparameter that chooses the generator's start: the choice that offers `pretrained_by`, if any."""
        choices = ((name, kind) for name, kind in self.search_space.items() if isinstance(kind, Choice))
        return next((name for name, kind in choices if self.pretrained_by in kind.options), None)

    def first_trials(self, target: str = "rgb") -> list[dict[str, Value]]:
        """What every search begins with: the textbook, and the textbook with a generator trained by `pretrained_by`.

        A sampler may never draw the latter, and the difference between the two is a question of its own.

        Args:
            target: What the study's networks predict; see `ModelSettings`.
        """
        textbook = {**self.textbook, **(self.textbook_luma_kept if target == "luma_kept" else {})}
        trials = [textbook]
        if self.pretrained_by and self.start_parameter:
            trials.append({**textbook, self.start_parameter: self.pretrained_by})
        return [{name: one[name] for name in active(self.search_space, one)} for one in trials]
