"""A study that goes on until it is decided."""

import pytest

from study.driver import replicates
from study.driver.replicates import add_replicates
from study.search.database import open_storage
from study.search.ledger import StudyLedger
from study.settings.study_folder import StudyHome
from tests.support.simulated import study_settings


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(replicates, "open_record", lambda name, home: None)
    return StudyHome(tmp_path)


def settings(**verdict):
    return study_settings(replicates=2, verdict=verdict)


def count(settings, home):
    return StudyLedger(open_storage(home.ledger_url(settings)), settings).replicates


def test_what_is_in_contention_gets_another_replicate(home):
    chosen, said = settings(until="decided"), []
    assert add_replicates(chosen, home, lambda record: {("fruit", "cgan")}, said.append)
    numbers = count(chosen, home)
    assert numbers["fruit", "cgan"] == numbers["fruit", "unet"] == 3
    assert numbers["fruit", "koalarization"] == numbers["scenes", "cgan"] == 2
    assert said == ["Not decided yet; one more replicate for fruit/cgan."]


def test_a_study_ends_when_everything_is_decided(home):
    said = []
    assert not add_replicates(settings(until="decided"), home, lambda record: set(), said.append)
    assert said == ["Every pair of architectures is decided."]


def test_a_study_ends_at_the_most_replicates(home):
    chosen, said = settings(until="decided", most_replicates=3), []
    contested = {("fruit", "cgan"), ("fruit", "unet")}
    assert add_replicates(chosen, home, lambda record: contested, said.append)
    assert not add_replicates(chosen, home, lambda record: contested, said.append)
    assert "Not decided after 3 replicates" in said[-1]


def test_without_until_decided_nobody_asks(home):
    def ask(record):
        raise AssertionError

    assert not add_replicates(settings(), home, ask, print)


def test_a_study_ends_when_its_budget_is_spent(home, monkeypatch):
    monkeypatch.setattr(replicates, "_device_seconds", lambda ledger: 60.0)
    contested, said = {("fruit", "cgan")}, []
    assert add_replicates(
        settings(until="decided", device_seconds=61), home, lambda record: contested, said.append
    )
    assert not add_replicates(
        settings(until="decided", device_seconds=60), home, lambda record: contested, said.append
    )
    assert said[-1] == "Not decided; 60 of verdict.device_seconds 60 are spent, so no replicate is added."
