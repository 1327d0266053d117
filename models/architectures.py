"""The registry of architectures: four built in, more by plugin.

Example of a plugin, `my_model.py`:

    from models.architectures import Architecture, Float, register

    register(Architecture(name="mine", build=..., search_space={"learning_rate": Float(1e-5, 1e-2)},
                          textbook={"learning_rate": 1e-3}, stride=8))
"""

from dataclasses import replace

import torch

from models.builtin import CGAN, KOALARIZATION, UNET, VGGUNET
from models.definition import Architecture, Choice, Float, Int, Parameters
from models.errors import ModelError
from models.hyperparameters import active
from models.learner import Learner
from models.registry import Table
from models.settings import ModelSettings

RECIPE_SPACE: dict[str, Float | Choice] = {
    "weight_decay": Float(1e-4, 1.0),
    "schedule": Choice(("constant", "cosine", "onecycle")),
}
"""What a study may search of the recipe, for any architecture; see `models.settings.Recipe`."""

__all__ = [
    "ARCHITECTURES",
    "RECIPE_SPACE",
    "Architecture",
    "Choice",
    "Float",
    "Int",
    "architecture",
    "known",
    "register",
    "seeded_build",
]

ARCHITECTURES = Table("architecture", (KOALARIZATION, UNET, CGAN, VGGUNET))
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
        parameters: A value for each hyperparameter, except those whose condition does not hold, and for those of its
            `optional` ones and of `RECIPE_SPACE` that are searched; the latter replace the recipe's own values.
        device: Where to compute.
        seed: Of the initial weights.

    Raises:
        ModelError: A hyperparameter is missing or unknown.
    """
    space = {**architecture.search_space, **architecture.optional}
    common = RECIPE_SPACE.keys() - space.keys()
    searched = {name: value for name, value in parameters.items() if name in common}
    own = {**architecture.defaults, **{k: v for k, v in parameters.items() if k not in common}}
    needed = active(space, own)
    if not set(needed) <= set(own) <= set(space):
        raise ModelError(
            f"{architecture.name} has the hyperparameters {', '.join(needed)}; given were {', '.join(parameters)}."
        )
    recipe = replace(settings.recipe, **searched)  # type: ignore[arg-type]  # each field has its own type
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build(
            replace(settings, recipe=recipe), {name: own[name] for name in needed}, device
        )
