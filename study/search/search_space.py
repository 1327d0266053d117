"""Samplers, pruners and distributions: from the study's words to Optuna's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from models.architectures import Float, architecture
from study.search.trial_spec import Parameters
from study.settings.schema import SearchSettings


def make_sampler(search: SearchSettings, seed: int) -> BaseSampler:
    """The sampler that proposes configurations; its whole state is `seed` and the ledger."""
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    if search.sampler == "qmc":
        return QMCSampler(
            seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False
        )
    return TPESampler(seed=seed, n_startup_trials=search.startup_trials)


class _Halving(SuccessiveHalvingPruner):
    """Optuna's, but a trial is judged by its best epoch so far: it is that epoch's weights that are kept."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return super().prune(study, _at_its_best(trial))


class _Hyperband(HyperbandPruner):
    """The same for Optuna's Hyperband."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return super().prune(study, _at_its_best(trial))


def _at_its_best(trial: FrozenTrial) -> FrozenTrial:
    judged = copy(trial)
    if values := trial.intermediate_values:
        judged.intermediate_values = {max(values): min(values.values())}
    return judged


def make_pruner(search: SearchSettings, epochs: int) -> BasePruner:
    """The pruner that stops weak trials of a cell whose full trials have `epochs` epochs."""
    warmup = search.warmup_of(epochs)
    median = MedianPruner(n_startup_trials=search.startup_trials, n_warmup_steps=warmup)
    first = max(1, warmup)
    match search.pruner:
        case "halving":
            return _Halving(min_resource=first, reduction_factor=search.reduction_factor)
        case "hyperband":
            return _Hyperband(
                min_resource=first, max_resource=epochs, reduction_factor=search.reduction_factor
            )
        case "median":
            return median
        case "patient":
            return PatientPruner(median, patience=search.patience)
        case "none":
            return NopPruner()


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
