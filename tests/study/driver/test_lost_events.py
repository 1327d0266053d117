"""An outbox that was deleted: what the ledger holds is recorded again from it."""

import shutil
from dataclasses import replace

import pytest
from optuna.storages import InMemoryStorage

from study.driver.starts.lost_events import lost_trials, record_again
from study.settings.study_folder import StudyHome
from study.sync import main as sync
from study.tracking.delivery import deliver_all
from study.tracking.outbox import Outbox
from study.tracking.record import StudyRecord
from tests.study.tracking.test_delivery import mirrored
from tests.study.tracking.test_told_last import (
    SETTINGS,
    better_the_second_time,
    connection,
    drive,
    tracker_of,
)


def recorded(uri):
    """What MLflow has of each trial, but for where and when it was written."""
    trials = StudyRecord(uri, "told").trials
    return {one.key: replace(one, run_id="", started=0, ended=0) for one in trials}


@pytest.mark.parametrize("delivered", [True, False])
def test_what_the_ledger_holds_is_recorded_again_and_nothing_twice(tmp_path, delivered):
    before, after = f"sqlite:///{tmp_path}/before.db", f"sqlite:///{tmp_path}/after.db"
    outbox, sentences = Outbox(tmp_path / "outbox"), []
    ledger = drive(InMemoryStorage(), outbox, better_the_second_time)
    assert lost_trials(ledger, outbox.closed) == []
    deliver_all(outbox, connection(before, tmp_path), print)
    outbox.close()
    shutil.rmtree(tmp_path / "outbox")

    fresh = Outbox(tmp_path / "outbox")
    lost = lost_trials(ledger, fresh.closed)
    assert {spec.key for spec, _, _ in lost} == {"fruit/unet/0", "fruit/unet/1", "fruit/unet/final-0"}
    whole = mirrored(before, "told") if delivered else None
    record_again(lost, SETTINGS.objective, tracker_of(fresh, ledger), sentences.append)
    assert "the results of 3 trials" in sentences[0]
    assert lost_trials(ledger, fresh.closed) == []
    deliver_all(fresh, connection(before if delivered else after, tmp_path), print)
    if delivered:
        assert mirrored(before, "told") == whole
    else:
        assert recorded(after) == recorded(before)


def test_sync_says_so_when_the_outbox_is_gone(tmp_path, capsys):
    StudyHome(tmp_path / "told").write_settings(SETTINGS)
    assert sync(["--name", "told", "--home", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "is empty; what the ledger holds is recorded again by:" in told
    assert f"study.launch --name told --home {tmp_path} --resume" in told
