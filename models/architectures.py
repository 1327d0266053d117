"""The registry of architectures: four built in, more by plugin.

Example of a plugin, `my_model.py`:

    from models.architectures import Architecture, Float, register

    register(Architecture(name="mine", build=..., search_space={"learning_rate": Float(1e-5, 1e-2)},
                          textbook={"learning_rate": 1e-3}, stride=8))
"""

from dataclasses import replace

import torch

from models.builtin import CGAN, KOALARIZATION, UNET, VGGUNET
from models.definition import Architecture, Choice, Float, Parameters
from models.errors import ModelError
from models.learner import Learner
from models.settings import ModelSettings

RECIPE_SPACE: dict[str, Float | Choice] = {
    "weight_decay": Float(1e-4, 1.0),
    "schedule": Choice(("constant", "cosine", "onecycle")),
}
"""What a study may search of the recipe, for any architecture; see `models.settings.Recipe`."""

__all__ = [
    "RECIPE_SPACE",
    "Architecture",
    "Choice",
    "Float",
    "architecture",
    "known",
    "register",
    "seeded_build",
]

_registry: dict[str, Architecture] = {one.name: one for one in (KOALARIZATION, UNET, CGAN, VGGUNET)}


def register(architecture: Architecture) -> None:
    """Make an architecture known by its name.

    Raises:
        ModelError: The name is taken.
    """
    if architecture.name in _registry:
        raise ModelError(
            f"There is already an architecture named {architecture.name!r}; choose another name."
        )
    _registry[architecture.name] = architecture


def architecture(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        ModelError: There is none; the message lists those there are.
    """
    if name not in _registry:
        raise ModelError(f"Unknown architecture {name!r}; known are {', '.join(known())}.")
    return _registry[name]


def known() -> tuple[str, ...]:
    """Names of all architectures, in order of registration."""
    return tuple(_registry)


def seeded_build(
    architecture: Architecture,
    settings: ModelSettings,
    parameters: Parameters,
    device: torch.device,
    seed: int,
) -> Learner:
    """Build a learner whose initial weights depend on the seed alone: not on device or history.

    Args:
        architecture: What to build.
        settings: Fixed choices of the study.
        parameters: Its hyperparameters, and those of its `optional` ones and of `RECIPE_SPACE` that are searched; the
            latter replace the recipe's own values.
        device: Where to compute.
        seed: Of the initial weights.

    Raises:
        ModelError: A hyperparameter is missing or unknown.
    """
    known_names = architecture.search_space.keys() | architecture.optional.keys()
    common = RECIPE_SPACE.keys() - known_names
    searched = {name: value for name, value in parameters.items() if name in common}
    own = {**architecture.defaults, **{k: v for k, v in parameters.items() if k not in common}}
    if set(own) != known_names:
        expected = ", ".join(architecture.search_space)
        raise ModelError(
            f"{architecture.name} has the hyperparameters {expected}; given were {', '.join(parameters)}."
        )
    recipe = replace(settings.recipe, **searched)  # type: ignore[arg-type]  # each field has its own type
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build(replace(settings, recipe=recipe), own, device)
