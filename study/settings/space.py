"""What is searched in a cell: the architecture's hyperparameters, within what `search.space` leaves of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from models.hyperparameters import Choice, Float, Int, Kind, Space, Value
from study.settings.choices.samplers import SAMPLERS
from study.settings.sections.recipe import network_settings

if TYPE_CHECKING:
    from study.settings.schema import StudySettings

MOST_WARM = 3
"""Configurations of an earlier study that a cell begins with, where `search.warm_start` names one."""

Ranges = Mapping[str, Sequence[Value]]


def searched(name: str, ranges: Ranges, *, pretrained: bool) -> Space:
    """The search space of one architecture in one cell: its own, and what `ranges` adds of `offered`.

    Args:
        name: The architecture.
        ranges: `[low, high]` or options that replace the architecture's own, by hyperparameter.
        pretrained: Whether a trained network is there to start the generator from; if not, the option
            that would need it is left out.
    """
    from models.architectures import architecture  # which loads torch

    space: dict[str, Kind] = {}
    giver = architecture(name).pretrained_by
    own = architecture(name).search_space
    for parameter, kind in offered(name).items():
        given = ranges.get(parameter)
        if given is None and parameter not in own:
            continue
        if not isinstance(kind, Choice):
            space[parameter] = _between(kind, *given) if given else kind
            continue
        taken = tuple(given or kind.options)
        if not pretrained and giver in kind.options:
            fresh = tuple(option for option in kind.options if option != giver)
            taken = tuple(option for option in taken if option in fresh) or fresh
        space[parameter] = replace(kind, options=taken)
    return space


def first_trials(settings: StudySettings, name: str) -> list[dict[str, Value]]:
    """The configurations that the search of an architecture begins with, before `search.space` narrows them.

    They hold the study's own recipe, too, for where that is searched, and the defaults of optional hyperparameters.
    """
    from models.architectures import RECIPE_SPACE, architecture

    one, recipe = architecture(name), network_settings(settings).recipe
    fixed = {parameter: getattr(recipe, parameter) for parameter in RECIPE_SPACE}
    return [{**fixed, **one.defaults, **first} for first in one.first_trials(settings.training.target)]


def offered(name: str) -> Space:
    """All that may be searched of an architecture: its hyperparameters, optional ones, and those of the recipe."""
    from models.architectures import RECIPE_SPACE, architecture

    one = architecture(name)
    return {**RECIPE_SPACE, **one.search_space, **one.optional}


def _between(kind: Float | Int, low: Value, high: Value) -> Kind:
    if isinstance(kind, Int):
        return replace(kind, low=int(low), high=int(high))
    return replace(kind, low=float(low), high=float(high))


def checked_range(name: str, parameter: str, values: Sequence[Value]) -> list[Value]:
    """What `search.space` gives for one hyperparameter, as its kind has it.

    Args:
        name: The architecture.
        parameter: The hyperparameter.
        values: As YAML gave them: it takes 1e-5, which has no point, for a text.

    Raises:
        ValueError: It is none of the architecture's, or the values are impossible for it; says what it needs.
    """
    space = offered(name)
    where = f"search.space.{name}.{parameter}"
    if parameter not in space:
        raise ValueError(f"{where} is no parameter of {name}; it has {', '.join(space)}")
    kind = space[parameter]
    if isinstance(kind, Choice):
        return _options(where, kind, values)
    numbers = [_number(value) for value in values]
    if len(numbers) != 2 or not -math.inf < numbers[0] <= numbers[1] < math.inf:
        raise ValueError(f"{where} needs two numbers, low and high")
    low, high = numbers
    if low < 0 <= kind.low or (low == 0 and kind.log):
        raise ValueError(f"{where} must begin {'above' if kind.log else 'at or above'} 0")
    if isinstance(kind, Float):
        return [low, high]
    return _whole_numbers(where, kind, low, high)


def check_sampler(sampler: str, name: str, ranges: Ranges, architectures: Collection[str]) -> None:
    """Refuse a sampler that would propose nothing for an architecture.

    Args:
        sampler: The word in the settings.
        name: The architecture.
        ranges: What `search.space` gives for it.
        architectures: All that the study compares.

    Raises:
        ValueError: All its hyperparameters would be drawn at random.
    """
    from models.architectures import architecture

    space = searched(name, ranges, pretrained=architecture(name).pretrained_by in architectures)
    if len(SAMPLERS.find(sampler).left_to_chance(space)) == len(space) > 0:
        raise ValueError(
            f"search.sampler is {sampler}, which proposes none of the hyperparameters of {name} "
            f"({', '.join(space)}); choose another sampler"
        )


def _whole_numbers(where: str, kind: Int, low: float, high: float) -> list[Value]:
    if not (low.is_integer() and high.is_integer()):
        raise ValueError(f"{where} needs two whole numbers, low and high")
    if (high - low) % kind.step:
        raise ValueError(f"{where} needs a low and a high that are a multiple of {kind.step} apart")
    return [int(low), int(high)]


def _options(where: str, kind: Choice, values: Sequence[Value]) -> list[Value]:
    if not values or not set(values) <= set(kind.options):
        raise ValueError(f"{where} needs some of {', '.join(map(str, kind.options))}")
    return [kind.options[kind.options.index(value)] for value in values]


def _number(value: Value) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
