"""From `search.sampler` to Optuna's samplers."""

from __future__ import annotations

from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler

from study.search.factory import factory
from study.settings.samplers import SAMPLERS
from study.settings.schema import SearchSettings


def make_sampler(search: SearchSettings, seed: int) -> BaseSampler:
    """The sampler that proposes configurations; its whole state is `seed` and the ledger."""
    return factory(SAMPLERS.find(search.sampler).make)(search, seed)


def tpe(search: SearchSettings, seed: int) -> BaseSampler:
    """`tpe`."""
    return TPESampler(seed=seed, n_startup_trials=search.startup_trials)


def uniform(_search: SearchSettings, seed: int) -> BaseSampler:
    """`random`."""
    return RandomSampler(seed=seed)


def quasi_random(_search: SearchSettings, seed: int) -> BaseSampler:
    """`qmc`."""
    return QMCSampler(
        seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False
    )
