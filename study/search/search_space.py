"""The search space of a cell as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from models.architectures import Float, architecture
from study.search.trial_spec import Parameters


def distributions(
    name: str, overrides: Mapping[str, list[float | str]], *, pretrained: bool
) -> dict[str, BaseDistribution]:
    """The search space of one architecture in one cell.

    Args:
        name: The architecture.
        overrides: Ranges or options that replace the architecture's own.
        pretrained: Whether a trained network is there to start the generator from; if not, the choice
            that would need it is left out.
    """
    space: dict[str, BaseDistribution] = {}
    giver = architecture(name).pretrained_by
    for parameter, kind in architecture(name).search_space.items():
        given = overrides.get(parameter)
        if isinstance(kind, Float):
            low, high = (float(value) for value in given) if given else (kind.low, kind.high)
            space[parameter] = FloatDistribution(low, high, log=kind.log)
        else:
            options = [option for option in given or kind.options if pretrained or option != giver]
            space[parameter] = CategoricalDistribution(options)
    return space


def within(configurations: Sequence[Parameters], space: Mapping[str, BaseDistribution]) -> list[Parameters]:
    """Those that lie in a search space; else the first one's values that do, the sampler adding the rest."""
    kept = [
        {name: value for name, value in one.items() if _contains(space[name], value)}
        for one in configurations
    ]
    return [one for one in kept if set(one) == set(space)] or kept[:1]


def _contains(distribution: BaseDistribution, value: float | str) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    return bool(distribution._contains(distribution.to_internal_repr(value)))
