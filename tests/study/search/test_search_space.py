"""Studies of an architecture with every kind of hyperparameter, under every sampler."""

import pytest
from optuna.storages import InMemoryStorage

from models.architectures import ARCHITECTURES
from models.hyperparameters import active
from study.search.database import open_storage
from study.search.ledger import StudyLedger
from study.search.search_space import suggest, within
from study.search.trial_spec import TrialState
from study.settings.choices.samplers import SAMPLERS
from tests.support.conditional import CONDITIONAL
from tests.support.simulated import run, study_settings
from tests.support.tables import restored

CELL = "fruit/conditional"
SPACE = CONDITIONAL.search_space


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    restored(monkeypatch, ARCHITECTURES)
    ARCHITECTURES.register(CONDITIONAL)


def settings(**search):
    return study_settings(
        datasets={"scenes": {"root": "drawn:scenes"}, "fruit": {"root": "drawn:fruit"}},
        architectures=["conditional"],
        budget={"trials": 24},
        search={"pruner": "none", **search},
    )


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_gives_a_trial_just_the_hyperparameters_that_exist(sampler, tmp_path):
    chosen = settings(sampler=sampler)
    ledger, diary = run(chosen, storage=open_storage(f"sqlite:///{tmp_path}/ledger.db"))
    trials = ledger.search(CELL).trials(TrialState.COMPLETE)
    assert len(trials) == 24
    assert trials[0].params == CONDITIONAL.first_trials()[0]
    for trial in trials:
        assert list(trial.params) == list(active(SPACE, trial.params))
        assert all(SPACE[name].contains(value) for name, value in trial.params.items())
        assert isinstance(trial.params["layers"], int)
    assert {"bins" in trial.params for trial in trials} == {True, False}
    best = min(trials, key=lambda trial: (trial.best, trial.number))
    assert all(final.params == best.params for final in ledger.finals(CELL).trials())
    notes = [note for _, note in diary.of("noted")]
    left = {"cmaes": ["loss, bins"], "gp": ["bins"], "qmc": ["bins"]}.get(sampler, [])
    assert [note.split("propose ")[1].split(";")[0] for note in notes if note.startswith(CELL)] == left
    again = StudyLedger(open_storage(f"sqlite:///{tmp_path}/ledger.db"), chosen).search(CELL)
    assert [trial.params for trial in again.trials()] == [trial.params for trial in trials]


@pytest.mark.parametrize("cut", ["before anything", "after the rate", "before what depends on the loss"])
def test_a_trial_that_a_crash_left_without_all_its_hyperparameters_gets_the_rest(cut):
    chosen = settings(sampler="tpe")
    storage = InMemoryStorage()
    ledger = StudyLedger(storage, chosen).search(CELL)
    ledger.enqueue({"loss": "bins"})
    trial = ledger._study.ask()
    until = {"before anything": 0, "after the rate": 1, "before what depends on the loss": 4}[cut]
    suggest(trial, dict(list(SPACE.items())[:until]))
    again = StudyLedger(storage, chosen).search(CELL)
    assert [len(trial.params) for trial in again.trials(TrialState.RUNNING)] == [until]
    entry = again.complete_parameters(0, SPACE)
    assert list(entry.params) == list(SPACE)
    assert entry.params["loss"] == "bins"


def test_what_a_search_begins_with_is_what_lies_in_the_space():
    first = CONDITIONAL.first_trials()
    assert within(first, SPACE) == first
    narrowed = {**SPACE, "layers": type(SPACE["layers"])(6, 8)}
    assert within(first, narrowed) == [{name: first[0][name] for name in first[0] if name != "layers"}]
