"""The registry of architectures: three built in, more by plugin.

Example of a plugin, `my_model.py`:

    from models.architectures import Architecture, Float, register

    register(Architecture(name="mine", build=..., search_space={"learning_rate": Float(1e-5, 1e-2)},
                          textbook={"learning_rate": 1e-3}, stride=8))
"""

import torch

from models.builtin import CGAN, KOALARIZATION, UNET
from models.definition import Architecture, Choice, Float, Int, Parameters
from models.errors import ModelError
from models.hyperparameters import active
from models.learner import Learner
from models.registry import Table
from models.settings import ModelSettings

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Choice",
    "Float",
    "Int",
    "architecture",
    "known",
    "register",
    "seeded_build",
]

ARCHITECTURES = Table("architecture", (KOALARIZATION, UNET, CGAN))
register = ARCHITECTURES.register
architecture = ARCHITECTURES.find


def known() -> tuple[str, ...]:
    """Names of all architectures, in order of registration."""
    return tuple(ARCHITECTURES)


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
        settings: What all networks share.
        parameters: A value for each hyperparameter; those whose condition does not hold are left out.
        device: Where to build it.
        seed: Of the initial weights.

    Raises:
        ModelError: A hyperparameter is missing or unknown.
    """
    space = architecture.search_space
    needed = active(space, parameters)
    if not set(needed) <= set(parameters) <= set(space):
        raise ModelError(
            f"{architecture.name} has the hyperparameters {', '.join(needed)}; given were {', '.join(parameters)}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build(settings, {name: parameters[name] for name in needed}, device)
