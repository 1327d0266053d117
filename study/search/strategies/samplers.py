"""From `search.sampler` to Optuna's samplers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from models.hyperparameters import Space
from study.search.strategies.informative import BoundedSampler
from study.search.strategies.kept import KeptBySearch
from study.settings.choices.samplers import SAMPLERS
from study.settings.sections.search import SearchSettings


def make_sampler(search: SearchSettings, space: Space, seed: int) -> BaseSampler:
    """The sampler that proposes configurations of a cell; its whole state is `seed` and the ledger."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLERS.find(search.sampler).factory(search, space, seed)


def tpe(search: SearchSettings, space: Space, seed: int) -> BaseSampler:
    """`tpe`; hyperparameters that exist under the same conditions are modelled together."""
    conditional = any(kind.when for kind in space.values())
    return BoundedSampler(TPESampler(seed=seed, n_startup_trials=search.startup_trials, group=conditional))


def uniform(_search: SearchSettings, _space: Space, seed: int) -> BaseSampler:
    """`random`."""
    return RandomSampler(seed=seed)


def quasi_random(_search: SearchSettings, _space: Space, seed: int) -> BaseSampler:
    """`qmc`."""
    return QMCSampler(
        seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False
    )


def gaussian_process(search: SearchSettings, _space: Space, seed: int) -> BaseSampler:
    """`gp`."""
    return BoundedSampler(
        GPSampler(seed=seed, n_startup_trials=search.startup_trials, warn_independent_sampling=False)
    )


def cma_es(search: SearchSettings, _space: Space, seed: int) -> BaseSampler:
    """`cmaes`."""
    return ReplayedCmaEs(seed=seed, n_startup_trials=search.startup_trials, warn_independent_sampling=False)


@dataclass
class _Search:
    """What a search has told the optimizer so far, and what Optuna found its trials to have in common."""

    optimizer: Any = None
    space: IntersectionSearchSpace = field(default_factory=IntersectionSearchSpace)


_SEARCHES = KeptBySearch(_Search)


class ReplayedCmaEs(CmaEsSampler):
    """Optuna's CMA-ES without its pickles, for studies that minimise.

    Optuna keeps the optimizer's state as a pickle with a trial and executes it when it asks again. Here the state is
    made anew from the trials: each generation is told to a new optimizer by the first of its trials to be complete.
    """

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As Optuna's does."""
        self._kept = _SEARCHES.of(study)
        self._search_space = self._kept.space
        return super().infer_relative_search_space(study, trial)

    def _get_trials(self, study: Study) -> list[FrozenTrial]:
        complete = super()._get_trials(study)
        return sorted(complete, key=lambda trial: trial.datetime_complete or datetime.max)

    def _restore_optimizer(self, completed_trials: list[FrozenTrial]) -> Any:
        self._complete = completed_trials

    def _init_optimizer(self, trans: _SearchSpaceTransform, direction: StudyDirection) -> Any:
        fresh = super()._init_optimizer(trans, direction)
        optimizer = self._kept.optimizer = self._kept.optimizer or fresh
        while True:
            generation = self._get_solution_trials(self._complete, optimizer.generation)
            if len(generation) < optimizer.population_size:
                return optimizer
            solutions = [
                (trans.transform(trial.params), trial.value)
                for trial in generation[: optimizer.population_size]
            ]
            optimizer.tell(solutions)
