"""One driver per study, whatever folder it runs from, on every database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import optuna
import psycopg
import pytest
import sqlalchemy

from study.driver.ownership import driver_lock
from study.driver.ownership.driver_lock import DriverLockLost, sole_driver
from study.errors import StudyError, UsageError
from study.search.database import open_storage
from study.settings.study_folder import sqlite_url
from tests.conftest import ROOT

HOLD = """
import sys, time
from study.driver.ownership.driver_lock import sole_driver
with sole_driver(sys.argv[1], "photos"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    server = request.getfixturevalue("postgres")
    with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS locked WITH (FORCE)")
        connection.execute("CREATE DATABASE locked")
    return f"postgresql+psycopg://{server}/locked"


def test_a_second_driver_is_refused_until_the_first_is_dead(url):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(UsageError, match=rf"is being run by process {holder.pid} on"),
        sole_driver(url, "photos"),
    ):
        pass
    with sole_driver(url, "other"):
        pass
    holder.kill()
    holder.wait()
    wait_for(url)
    with sole_driver(url, "photos"):
        pass


def wait_for(url: str) -> None:
    """PostgreSQL notices a dead client after moments."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with sole_driver(url, "photos"):
                return
        except UsageError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_writes_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(driver_lock, "_RENEWAL_SECONDS", 0.2)
    url = sqlite_url(tmp_path / "ledger.db")
    with sole_driver(url, "photos") as check:
        study = optuna.create_study(study_name="photos/cell", storage=open_storage(url, check))
        study.ask()
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE colorization_study_drivers SET token = 'theirs', expires = 0")
        with sole_driver(url, "photos"):
            pass
        wait_for_loss(check)
        with pytest.raises(DriverLockLost, match="has lost its lock"):
            study.ask()


def wait_for_loss(check: Callable[[], None]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            check()
        except DriverLockLost:
            return
        time.sleep(0.05)


def test_numbers_are_given_by_the_database(url):
    first = optuna.create_study(study_name="photos/cell", storage=open_storage(url))
    second = optuna.load_study(study_name="photos/cell", storage=open_storage(url))
    assert second.get_trials() == []
    first.ask()
    with pytest.raises(StudyError, match="Another driver has begun trials"):
        second.ask()
    first.ask()
    numbers = [
        trial.number for trial in optuna.load_study(study_name="photos/cell", storage=url).get_trials()
    ]
    assert numbers == [0, 1]


def test_one_of_two_drivers_that_start_at_once_is_refused(url):
    outcomes, together = [], threading.Barrier(4)

    def drive() -> None:
        together.wait()
        try:
            with sole_driver(url, "photos"):
                outcomes.append("held")
                time.sleep(2)
        except (UsageError, sqlalchemy.exc.OperationalError):
            outcomes.append("refused")

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held", "refused", "refused", "refused"]
