"""A study whose driver dies at any write, on a virtual clock."""

import math
import random
from collections import Counter

import pytest
from optuna.storages import InMemoryStorage

from study.search.cells import Stage, cells_of
from study.search.database import open_storage
from study.settings.study_folder import sqlite_url
from tests.support.simulated import (
    outcome,
    run,
    simulate,
    study_settings,
)


class Killed(BaseException):
    """The driver is killed."""


class MortalStorage(InMemoryStorage):
    """Dies instead of making its n-th write; what was written before stays."""

    def __init__(self, writes=math.inf):
        super().__init__()
        self.left = writes

    def _write(self):
        self.left -= 1
        if self.left < 0:
            raise Killed


def _mortal(name):
    def method(self, *args, **kwargs):
        self._write()
        return getattr(InMemoryStorage, name)(self, *args, **kwargs)

    return method


for _name in (
    "create_new_trial",
    "set_trial_param",
    "set_trial_state_values",
    "set_trial_intermediate_value",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "set_study_user_attr",
    "set_study_system_attr",
):
    setattr(MortalStorage, _name, _mortal(_name))


@pytest.fixture(scope="module")
def undisturbed():
    storage = MortalStorage()
    storage.left = 10**9
    ledger, _ = run(study_settings(search={"pruner": "none"}), storage=storage)
    return outcome(ledger), 10**9 - storage.left


@pytest.mark.parametrize("repeat", range(25))
def test_a_study_killed_at_any_write_and_continued_ends_with_the_same_trials(repeat, undisturbed):
    expected, writes = undisturbed
    chance = random.Random(repeat)
    settings = study_settings(search={"pruner": "none"})
    storage = MortalStorage(chance.randrange(writes))
    for _ in range(3):  # killed up to three times
        try:
            simulate(settings, storage=storage, workers=chance.randint(1, 9))[0].run()
        except Killed:
            storage.left = chance.randrange(writes)
    storage.left = math.inf
    ledger, diary = run(settings, storage=storage)
    assert outcome(ledger) == expected
    started = Counter(spec.key for spec, _ in diary.of("started"))
    assert not started or max(started.values()) == 1
    for cell in cells_of(settings):
        best = min(ledger.search(cell.key).trials(), key=lambda trial: (trial.best, trial.number))
        assert all(final.params == best.params for final in ledger.finals(cell.key).trials())


def test_after_a_kill_the_interrupted_trials_come_first_with_number_and_parameters(tmp_path):
    settings, storage = study_settings(), InMemoryStorage()
    simulation, _, _, before = simulate(settings, storage=storage)
    for _ in range(60):
        simulation.advance(tmp_path)
    ended = {spec.key for spec, _ in before.of("ended")}
    interrupted = {spec.key: spec for spec, _ in before.of("started") if spec.key not in ended}
    _, after = run(settings, storage=storage)
    again = [spec for spec, _ in after.of("started")][: len(interrupted)]
    assert {spec.key: spec for spec in again} == interrupted
    assert not ended & {spec.key for spec, _ in after.of("started")}


def test_a_killed_study_charges_no_final_twice(tmp_path):
    settings, storage = study_settings(architectures=["unet"], finals={"seeds": 4}), InMemoryStorage()
    simulation, _, _, diary = simulate(settings, storage=storage, workers=2)
    while not any(a.stage is Stage.FINAL and report["epoch"] == 5 for a, report in diary.of("reported")):
        simulation.advance(tmp_path)
    simulation, conductor, _, _ = simulate(settings, storage=storage, workers=2)
    simulation.run()
    for progress in conductor.cells:
        trials = progress.search.trials() + progress.finals.trials()
        assert progress.epochs == sum(trial.epochs for trial in trials)


def test_an_sqlite_ledger_ends_with_the_same_trials_as_one_in_memory(tmp_path):
    settings = study_settings(architectures=["koalarization"])
    in_file, _ = run(settings, storage=open_storage(sqlite_url(tmp_path / "ledger.db")))
    in_memory, _ = run(settings)
    assert outcome(in_file) == outcome(in_memory)
