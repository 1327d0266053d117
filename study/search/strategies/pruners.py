"""From `search.pruner` to Optuna's pruners."""

from __future__ import annotations

import warnings
from bisect import insort
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
from optuna.pruners._successive_halving import _completed_rung_key, _get_current_rung
from optuna.trial import FrozenTrial

from study.settings.choices.pruners import PRUNERS
from study.settings.sections.search import SearchSettings, first_rung


def make_pruner(search: SearchSettings, epochs: int) -> BasePruner:
    """The pruner that stops weak trials of a cell whose full trials have `epochs` epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PRUNERS.find(search.pruner).factory(search, epochs)


class _Halving(SuccessiveHalvingPruner):
    """Optuna's, but a trial is judged by its best epoch so far: it is that epoch's weights that are kept.

    A pruner has one search, whose rungs it alone writes. So it reads them once, instead of all trials at each decision.
    """

    def __init__(self, first_rung: int, reduction_factor: int) -> None:
        super().__init__(min_resource=first_rung, reduction_factor=reduction_factor)
        self._first, self._factor = first_rung, reduction_factor
        self._rungs: dict[str, list[float]] = {}

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        values, rung = trial.intermediate_values, _get_current_rung(trial)
        while values and max(values) >= self._first * self._factor**rung:
            best, key = min(values.values()), _completed_rung_key(rung)
            reached = self._reached(study, key)
            study._storage.set_trial_system_attr(trial._trial_id, key, best)
            insort(reached, best)
            if best > reached[max(1, len(reached) // self._factor) - 1]:
                return True
            rung += 1
        return False

    def _reached(self, study: optuna.Study, key: str) -> list[float]:
        """What trials had at a rung, the best first."""
        if key not in self._rungs:
            attributes = (one.system_attrs for one in study.get_trials(deepcopy=False))
            self._rungs[key] = sorted(one[key] for one in attributes if key in one)
        return self._rungs[key]


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
    return _Halving(first_rung(search.warmup_epochs, epochs), search.reduction_factor)


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
