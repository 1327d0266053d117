"""From `search.pruner` to Optuna's pruners."""

from __future__ import annotations

import warnings
from copy import copy

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    SuccessiveHalvingPruner,
)
from optuna.trial import FrozenTrial

from study.settings.choices.pruners import PRUNERS
from study.settings.sections.search import SearchSettings, first_rung


def make_pruner(search: SearchSettings, epochs: int) -> BasePruner:
    """The pruner that stops weak trials of a cell whose full trials have `epochs` epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PRUNERS.find(search.pruner).factory(search, epochs)


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


def halving(search: SearchSettings, epochs: int) -> BasePruner:
    """`halving`."""
    return _Halving(
        min_resource=first_rung(search.warmup_epochs, epochs), reduction_factor=search.reduction_factor
    )


def hyperband(search: SearchSettings, epochs: int) -> BasePruner:
    """`hyperband`."""
    return _Hyperband(
        min_resource=first_rung(search.warmup_epochs, epochs),
        max_resource=epochs,
        reduction_factor=search.reduction_factor,
    )


def median(search: SearchSettings, epochs: int) -> BasePruner:
    """`median`."""
    return MedianPruner(n_startup_trials=search.startup_trials, n_warmup_steps=search.warmup_of(epochs))


def patient(search: SearchSettings, epochs: int) -> BasePruner:
    """`patient`."""
    return PatientPruner(median(search, epochs), patience=search.patience)


def nothing(_search: SearchSettings, _epochs: int) -> BasePruner:
    """`none`."""
    return NopPruner()
