"""A long search's sampler is shown the best and the latest trials, and proposes what Optuna's would until then."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.pruners import HyperbandPruner, NopPruner
from optuna.samplers import GPSampler, TPESampler
from optuna.trial import TrialState, create_trial

from study.search.strategies.informative import GOOD, Beginning, BoundedSampler

SPACE = {
    "learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
    "generator_init": CategoricalDistribution(["scratch", "unet"]),
}


@pytest.fixture
def study():
    """Trials that get worse, every fourth pruned and every tenth failed, after one that still runs."""
    study = optuna.create_study()
    study.ask(SPACE)
    for number in range(1, 80):
        state = TrialState.COMPLETE
        if number % 4 == 0:
            state = TrialState.PRUNED
        if number % 10 == 0:
            state = TrialState.FAIL
        study.add_trial(
            create_trial(
                state=state,
                value=None if state is TrialState.FAIL else float(number),
                params={"learning_rate": 1e-5 * number, "generator_init": ("scratch", "unet")[number % 2]},
                distributions=SPACE,
                intermediate_values={1: float(number)},
            )
        )
    return study


def proposed(study, sampler):
    """What a sampler proposes next; the trial is left running, as the trials beside it are."""
    study.sampler = sampler
    return study.ask(SPACE).params


def test_the_best_the_latest_and_the_running_trials_are_shown(study):
    shown = [one.number for one in Beginning().informative(study.get_trials(), window=40)]
    complete = [one.number for one in study.get_trials() if one.state is TrialState.COMPLETE]
    good, latest = complete[:GOOD], [one for one in range(79, 0, -1) if one % 10][: 40 - GOOD]
    assert shown == sorted([0, *good, *latest])


def test_within_the_window_every_proposal_is_optunas(study):
    ours = proposed(study, BoundedSampler(TPESampler(seed=3, n_startup_trials=4), 80))
    study.tell(80, state=TrialState.FAIL)
    assert ours == proposed(study, TPESampler(seed=3, n_startup_trials=4))


@pytest.mark.parametrize("pruner", [NopPruner(), HyperbandPruner(max_resource=9)], ids=["none", "hyperband"])
@pytest.mark.parametrize("group", [False, True])
def test_beyond_it_a_proposal_is_what_optuna_would_make_of_those_trials_alone(study, group, pruner):
    study.pruner = pruner
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    part = optuna.create_study()
    part.add_trials(Beginning().informative(study.get_trials(), window=40))
    options = {"seed": 3, "n_startup_trials": 4, "group": group}
    assert proposed(study, BoundedSampler(TPESampler(**options), 40)) == proposed(part, TPESampler(**options))
    assert len(study.trials) == 81


def test_a_gaussian_process_is_shown_no_more_either(study):
    part = optuna.create_study()
    part.add_trials(Beginning().informative(study.get_trials(), window=40))
    assert proposed(study, BoundedSampler(GPSampler(seed=3), 40)) == proposed(part, GPSampler(seed=3))


def test_what_is_remembered_of_a_search_that_goes_on_changes_nothing(study):
    trials, remembers = study.get_trials()[1:], Beginning()  # all have ended
    for now in range(1, 80, 7):
        assert remembers.informative(trials[:now], 40) == Beginning().informative(trials[:now], 40)
