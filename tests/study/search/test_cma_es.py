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
    trials = [trial for trial in optunas.trials if "cma:generation" in trial.system_attrs]
    kept = CmaEsSampler(seed=0)._restore_optimizer(trials)
    assert kept.generation >= 3
    optimizer = replayed([one for one in trials if one.system_attrs["cma:generation"] < kept.generation])
    assert optimizer.generation == kept.generation
    assert np.allclose(optimizer.mean, kept.mean)
    assert np.allclose(optimizer._C, kept._C)
    assert optimizer._sigma == pytest.approx(kept._sigma)


def replayed(trials):
    """The optimizer of a search that is opened with these trials."""
    study = opened(trials)
    sampler = ReplayedCmaEs(seed=0, n_startup_trials=0)
    space = sampler.infer_relative_search_space(study, trials[0])
    sampler._restore_optimizer(sampler._get_trials(study))
    transform = optuna._transform._SearchSpaceTransform(space, transform_0_1=True)
    return sampler._init_optimizer(transform, study.direction)


def opened(trials):
    study = optuna.create_study()
    study.add_trials(trials)
    return study


def test_a_search_that_is_opened_again_proposes_what_it_would_have_proposed():
    study = searched(lambda number: ReplayedCmaEs(seed=number, n_startup_trials=4))
    again = opened(study.trials)
    for number in range(TRIALS, TRIALS + 10):
        proposals = []
        for one in (study, again):
            one.sampler = ReplayedCmaEs(seed=number, n_startup_trials=4)
            trial = one.ask(SPACE)
            one.tell(trial, sphere(trial.params))
            proposals.append(trial.params)
        assert proposals[0] == proposals[1]


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
    before = replayed(study.trials)
    study.tell(late, 0.0)
    assert np.array_equal(replayed(study.trials).mean, before.mean)
