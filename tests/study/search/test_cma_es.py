"""CMA-ES whose state is replayed from the trials."""

import warnings

import numpy as np
import optuna
import pytest
from optuna.samplers import CmaEsSampler

from study.search.strategies.samplers import ReplayedCmaEs

SPACE = {name: optuna.distributions.FloatDistribution(-4.0, 4.0) for name in "xyz"}
TRIALS = 40


def sphere(params):
    return sum((params[name] - 1) ** 2 for name in SPACE)


def searched(make, trials=TRIALS):
    study = optuna.create_study()
    for number in range(trials):
        study.sampler = make(number)
        trial = study.ask(SPACE)
        study.tell(trial, sphere(trial.params))
    return study


@pytest.fixture(scope="module")
def optunas():
    """A search by Optuna's own, which keeps pickles of its state with the trials."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return searched(lambda number: CmaEsSampler(seed=number, n_startup_trials=4))


def test_the_replayed_state_is_the_one_that_optuna_keeps(optunas):
    replayed = ReplayedCmaEs(seed=0)
    trials = [trial for trial in optunas.trials if "cma:generation" in trial.system_attrs]
    kept = CmaEsSampler(seed=0)._restore_optimizer(trials)
    assert kept.generation >= 3
    told = [trial for trial in trials if trial.system_attrs["cma:generation"] < kept.generation]
    replayed._restore_optimizer(told)
    transform = optuna._transform._SearchSpaceTransform(SPACE, transform_0_1=True)
    optimizer = replayed._init_optimizer(transform, optuna.study.StudyDirection.MINIMIZE)
    assert optimizer.generation == kept.generation
    assert np.allclose(optimizer.mean, kept.mean)
    assert np.allclose(optimizer._C, kept._C)
    assert optimizer._sigma == pytest.approx(kept._sigma)


def test_it_comes_near_the_optimum_and_leaves_no_pickle_in_the_ledger():
    study = searched(lambda number: ReplayedCmaEs(seed=number, n_startup_trials=4), trials=80)
    assert study.best_value < 0.3  # the best of 80 random points is expected near 1.3
    assert max(trial.system_attrs.get("cma:generation", 0) for trial in study.trials) >= 8
    stored = {key for trial in study.trials for key in trial.system_attrs}
    assert not any("optimizer" in key for key in stored)


def test_a_trial_that_ends_late_changes_no_generation_that_was_told():
    study = searched(lambda number: ReplayedCmaEs(seed=number, n_startup_trials=0), trials=3)
    study.sampler = ReplayedCmaEs(seed=3, n_startup_trials=0)
    late = study.ask(SPACE)
    for number in range(4, 20):
        study.sampler = ReplayedCmaEs(seed=number, n_startup_trials=0)
        trial = study.ask(SPACE)
        study.tell(trial, sphere(trial.params))
    before = mean_of(study)
    study.tell(late, 0.0)
    assert np.array_equal(mean_of(study), before)


def mean_of(study):
    sampler = ReplayedCmaEs(seed=0, n_startup_trials=0)
    sampler._restore_optimizer(sampler._get_trials(study))
    transform = optuna._transform._SearchSpaceTransform(SPACE, transform_0_1=True)
    return sampler._init_optimizer(transform, study.direction).mean
