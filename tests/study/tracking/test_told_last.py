"""A ledger that fails once at a trial's end: after the study went on, MLflow says what the ledger says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna.storages import InMemoryStorage

from study.backend.learning_curves import analytic_curve
from study.backend.simulator import Curve, ProcessDied, Simulation
from study.search.conductor import Conductor
from study.search.ledger import StudyLedger
from study.search.trial_spec import TrialState
from study.settings.schema import StudySettings
from study.storage.storage import Storage
from study.tracking.delivery import deliver_all
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.outbox import Outbox
from study.tracking.record import StudyRecord
from study.tracking.tracker import Tracker

EPOCHS = 2
SETTINGS = StudySettings(
    name="told",
    datasets={"fruit": {"root": "drawn:fruit"}},
    architectures=["unet"],
    budget={"trials": 2, "epochs": EPOCHS},
    search={"sampler": "random", "pruner": "none"},
    finals={"seeds": 1},
    replicates=1,
    seed=0,
)


class DatabaseIsAway(Exception):
    """Raised instead of writing."""


class FailingOnce(InMemoryStorage):
    """Does not take the first end that it is told."""

    failed = False

    def set_trial_state_values(self, trial_id, state, values=None):
        if state.is_finished() and not self.failed:
            self.failed = True
            raise DatabaseIsAway
        return super().set_trial_state_values(trial_id, state, values)


def connection(uri: str, folder: Path) -> Callable[[], MlflowRuns]:
    storage = Storage(str(folder / "storage"))
    return lambda: MlflowRuns(uri, "told", (folder / "artifacts").as_uri(), storage)


def tracker_of(outbox: Outbox, ledger: StudyLedger) -> Tracker:
    tracker = Tracker(outbox)
    tracker.open_study({"study.json": SETTINGS.model_dump_json()}, {})
    for cell in ledger.cells:
        tracker.open_cell(cell)
    return tracker


def drive(storage: InMemoryStorage, outbox: Outbox, curve: Curve) -> StudyLedger:
    ledger = StudyLedger(storage, SETTINGS)
    conductor = Conductor(SETTINGS, ledger, [tracker_of(outbox, ledger)])
    Simulation(conductor, curve, max_failures=0).run()
    return ledger


def dies_in_its_last_epoch(spec, epoch):
    if epoch == EPOCHS:
        raise ProcessDied
    return {**analytic_curve(spec, epoch), "device_seconds": 1.0}


def better_the_second_time(spec, epoch):
    return {**analytic_curve(spec, epoch), "device_seconds": 2.0}


@pytest.mark.parametrize("delivered_between", [True, False])
@pytest.mark.parametrize(
    ("first", "second", "ending"),
    [
        (dies_in_its_last_epoch, better_the_second_time, TrialState.COMPLETE),
        (better_the_second_time, dies_in_its_last_epoch, TrialState.FAIL),
    ],
)
def test_what_is_told_last_wins_in_both(tmp_path, delivered_between, first, second, ending):
    uri, storage = f"sqlite:///{tmp_path}/mlflow.db", FailingOnce()
    outbox, runs = Outbox(tmp_path / "outbox"), connection(uri, tmp_path)
    with pytest.raises(DatabaseIsAway):
        drive(storage, outbox, first)
    if delivered_between:
        deliver_all(outbox, runs, print)
    ledger = drive(storage, outbox, second)
    for _ in range(2):  # and delivered whole once more, as after a loss
        deliver_all(outbox, runs, print)
        outbox.deliver_again()

    record = StudyRecord(uri, "told")
    told = {trial.key: trial for trial in record.trials if trial.role == "trial"}
    assert ending in {trial.state for trial in told.values()}
    for cell in ledger.cells:
        for trial in ledger.search(cell.key).trials():
            mirror = told[f"{cell.key}/{trial.number}"]
            assert mirror.state is trial.state
            assert mirror.reason == trial.attributes.get("reason", "")
            assert mirror.best == trial.best
            assert mirror.epochs == trial.epochs
            assert mirror.device_seconds == trial.attributes["device_seconds"]
    client = MlflowClient(uri)
    for mirror in told.values():
        for name in client.get_run(mirror.run_id).data.metrics:
            history = client.get_metric_history(mirror.run_id, name)
            assert len({(point.step, point.value) for point in history}) == len(history)
