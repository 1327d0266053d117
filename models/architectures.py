"""The registry of architectures: three built in, more by plugin.

Example of a plugin, `my_model.py`:

    from models.architectures import Architecture, Float, register

    register(Architecture(name="mine", build=..., search_space={"learning_rate": Float(1e-5, 1e-2)},
                          textbook={"learning_rate": 1e-3}, stride=8))
"""

import torch

from models.builtin import CGAN, KOALARIZATION, UNET
from models.definition import Architecture, Choice, Float, Parameters
from models.errors import ModelError
from models.learner import Learner
from models.settings import ModelSettings

__all__ = [
    "Architecture",
    "Choice",
    "Float",
    "architecture",
    "known",
    "register",
    "seeded_build",
]

_registry: dict[str, Architecture] = {one.name: one for one in (KOALARIZATION, UNET, CGAN)}


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

    Raises:
        ModelError: A hyperparameter is missing or unknown.
    """
    if set(parameters) != set(architecture.search_space):
        expected = ", ".join(architecture.search_space)
        raise ModelError(
            f"{architecture.name} has the hyperparameters {expected}; given were {', '.join(parameters)}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build(settings, parameters, device)
