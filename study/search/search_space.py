"""The search space of a cell in Optuna's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from models.hyperparameters import Choice, Float, Kind, Space, active
from study.search.trial_spec import Parameters

Warm = Mapping[str, Sequence[Parameters]]
"""Configurations of an earlier study by cell, the best first."""


def distribution(kind: Kind) -> BaseDistribution:
    """A hyperparameter as Optuna describes it; its condition is left to `suggest`."""
    if isinstance(kind, Choice):
        return CategoricalDistribution(kind.options)
    if isinstance(kind, Float):
        return FloatDistribution(kind.low, kind.high, log=kind.log)
    return IntDistribution(kind.low, kind.high, log=kind.log, step=kind.step)


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The same of a whole search space."""
    return {name: distribution(kind) for name, kind in space.items()}


def suggest(trial: Trial, space: Space) -> None:
    """Have the sampler propose each hyperparameter that does not depend on an option that was not taken.

    Those that the trial has already stay as they are.
    """
    values = dict(trial.params)
    for name, kind in space.items():
        if name in active(space, values):
            values[name] = trial._suggest(name, distribution(kind))


def complete(space: Space, params: Parameters) -> bool:
    """Whether a configuration has all the hyperparameters that it needs, and no other."""
    return set(params) == set(active(space, params))


def within(configurations: Sequence[Parameters], space: Space) -> list[Parameters]:
    """Those that lie in a search space; else the first one's values that do, the sampler adding the rest."""
    kept = [
        {name: value for name, value in one.items() if name in space and space[name].contains(value)}
        for one in configurations
    ]
    return [one for one in kept if complete(space, one)] or kept[:1]


def opening(warm: Sequence[Parameters], own: Sequence[Parameters], space: Space) -> list[Parameters]:
    """What a search begins with: configurations of an earlier study, then its own, each once and within its space."""
    first = within(warm, space)
    return [*first, *(one for one in within(own, space) if one not in first)]
