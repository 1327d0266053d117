"""Samplers: from the study's words to Optuna's, those of plug-ins, and what the report says of each."""

import optuna
import pytest
from optuna.samplers import BaseSampler, RandomSampler

from study.errors import UsageError
from study.reporting.search_analysis import random_start
from study.search.strategies.samplers import make_sampler
from study.search.trial_spec import TrialState
from study.settings.choices.samplers import SAMPLERS, Sampler, register_sampler
from study.settings.sections.search import SearchSettings
from study.settings.sources import load_settings, preset_or_file
from tests.study.reporting.test_search_section import record
from tests.support.cell_evidence import trial
from tests.support.simulated import run, states, study_settings
from tests.support.tables import restored


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    restored(monkeypatch, SAMPLERS)


class Centre(BaseSampler):
    """Proposes the middle of each range, always."""

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        return (
            (param_distribution.low * param_distribution.high) ** 0.5
            if isinstance(param_distribution, optuna.distributions.FloatDistribution)
            else param_distribution.choices[0]
        )


@pytest.mark.parametrize("word", list(SAMPLERS))
def test_every_word_makes_a_sampler_of_optuna(word):
    assert isinstance(make_sampler(SearchSettings(sampler=word), {}, seed=0), BaseSampler)


def test_an_unknown_word_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"search\.sampler is 'grid'.*tpe, random, qmc"):
        load_settings(preset_or_file("demo"), {"search": {"sampler": "grid"}})


def test_a_registered_sampler_proposes_and_the_report_calls_its_trials_what_they_are():
    register_sampler(Sampler("centre", lambda _search, _space, _seed: Centre()))
    register_sampler(Sampler("dice", lambda _search, _space, seed: RandomSampler(seed), draws_at_random=True))
    ledger, _ = run(study_settings(search={"sampler": "centre", "pruner": "none"}))
    assert states(ledger.search("fruit/unet")) == {TrialState.COMPLETE: 8}
    trials = [trial(number, started=10 * number, ended=10 * number + 5) for number in range(8)]
    drawn = {
        word: len(random_start(record(trials, sampler=word), "fruit", "cgan"))
        for word in ("centre", "dice", "random", "tpe", "qmc", "of a plug-in that is not here")
    }
    assert drawn == {
        "centre": 0,
        "dice": 7,
        "random": 7,
        "tpe": 2,
        "qmc": 0,
        "of a plug-in that is not here": 0,
    }
