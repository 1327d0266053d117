"""Pictures and single values as MLflow's pages want them."""

from dataclasses import replace

import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from study.search.cells import Cell, Stage
from study.search.trial_spec import End, TrialSpec, TrialState
from study.storage.storage import Storage
from study.tracking.delivery import deliver_all
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.names import SAMPLES
from study.tracking.outbox import Outbox
from study.tracking.tracker import Shared, Tracker
from study.tracking.trial_record import trial_record

SHARED = Shared(
    tags={"mlflow.user": "ada"},
    params={"model.width": "4", "training.loss": "l1"},
    data={"fruit": {"digest": "0123", "source": "pictures", "profile": {"train": 60, "test": 12}}},
)
FINAL = TrialSpec("fruit", "unet", Stage.FINAL, 0, {"learning_rate": 1e-3}, 5, epochs=3)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """A final with two pictures, delivered, and delivered again by a driver that does not remember it."""
    folder = tmp_path_factory.mktemp("pictures")
    storage, grid = Storage(str(folder / "storage")), np.zeros((9, 6, 3), np.uint8)
    grid[:3], grid[3:6], grid[6:] = 100, 150, 200
    Image.fromarray(grid).save(folder / "grid.png")
    storage.put_file("grid.png", folder / "grid.png")
    outbox = Outbox(folder / "outbox")
    tracker = Tracker(outbox)
    tracker.open_study({}, {}, SHARED)
    for name in ("unet", "koalarization", "cgan"):
        tracker.open_cell(Cell("fruit", name, epochs=3))
    tracker.started(FINAL)
    for epoch in (2, 3):
        tracker.pictured(FINAL, epoch, "grid.png")
    test = {"psnr": 20.0, "colourfulness": 0.3, "colourfulness_true": 0.6, "colourfulness_ratio": 0.5}
    tracker.ended(FINAL, End(TrialState.COMPLETE, "", 9.0, 3, 6.0, test, 1, None))
    uri, artifacts = f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri()
    for _ in range(2):
        deliver_all(outbox, lambda: MlflowRuns(uri, "study", artifacts, storage), print)
        outbox.mark_delivered(0)
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("study").experiment_id])  # latest first
    return client, {run.info.run_name: run for run in runs}, folder


def test_a_closed_run_is_forgotten_and_yet_logs_nothing_twice(delivered):
    client, _, folder = delivered
    outbox = Outbox(folder / "outbox")
    uri, artifacts = f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri()
    runs = MlflowRuns(uri, "again", artifacts, Storage(str(folder / "storage")))
    for _ in range(2):
        outbox.mark_delivered(0)
        deliver_all(outbox, lambda: runs, print)
    assert FINAL.key not in {*runs._points, *runs._pictures}
    experiment = client.get_experiment_by_name("again").experiment_id
    (run,) = [one for one in client.search_runs([experiment]) if one.info.run_name == FINAL.key]
    assert len(client.get_metric_history(run.info.run_id, "test/psnr")) == 1


def test_pictures_begin_at_step_0_with_the_input_and_come_once(delivered):
    client, runs, folder = delivered
    run = runs[FINAL.key].info.run_id
    pictures = {}
    for file in client.list_artifacts(run, "images"):
        name, _, step = file.path.removeprefix("images/").split("+")[:3]
        if file.path.endswith(".png"):
            assert (name.replace("~", "/"), int(step)) not in pictures
            with Image.open(client.download_artifacts(run, file.path, str(folder))) as picture:
                pictures[name.replace("~", "/"), int(step)] = list(np.asarray(picture)[[0, 4, 8], 0, 0])
    assert pictures == {
        (SAMPLES, 0): [100, 100, 200],
        (SAMPLES, 2): [100, 150, 200],
        (SAMPLES, 3): [100, 150, 200],
    }


def test_what_a_run_has_once_is_compared_as_bars(delivered):
    client, runs, _ = delivered
    run = runs[FINAL.key]
    steps = {
        name: [one.step for one in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
    once = ("test/psnr", "test/colourfulness_ratio", "best/ciede2000", "cost/epochs", "cost/device_seconds")
    assert steps == {name: [0] for name in once}


def test_runs_are_listed_in_the_order_of_the_study(delivered):
    _, runs, _ = delivered
    assert list(runs) == [FINAL.key, "fruit/cgan", "fruit/koalarization", "fruit/unet", "study"]


def test_runs_carry_their_data_once_and_are_found_by_them(delivered):
    client, runs, _ = delivered
    (one,) = runs[FINAL.key].inputs.dataset_inputs
    assert (one.dataset.name, one.dataset.digest) == ("fruit", "0123")
    assert '"train": 60' in one.dataset.profile
    assert not runs["study"].inputs.dataset_inputs
    experiment = client.get_experiment_by_name("study").experiment_id
    for condition in ("dataset.digest = '0123'", "tags.`mlflow.user` = 'ada' and params.`model.width` = '4'"):
        found = client.search_runs([experiment], condition)
        assert FINAL.key in [run.info.run_name for run in found], condition


def test_settings_of_the_study_are_no_hyperparameters_of_its_trials(delivered):
    _, runs, _ = delivered
    run = runs[FINAL.key]
    assert run.data.params == {
        "learning_rate": "0.001",
        "model.width": "4",
        "training.loss": "l1",
        "budget.epochs": "3",
    }
    assert trial_record(run).params == {"learning_rate": 1e-3}


def test_a_trial_that_goes_on_with_more_epochs_is_no_conflict(delivered):
    """MLflow refuses a parameter that changes; the journal may open a run again under other settings."""
    client, runs, folder = delivered
    outbox = Outbox(folder / "later")
    tracker = Tracker(outbox)
    tracker.open_study({}, {}, SHARED)
    tracker.open_cell(Cell("fruit", "unet", epochs=6))
    tracker.started(replace(FINAL, epochs=6))
    uri, artifacts = f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri()
    deliver_all(outbox, lambda: MlflowRuns(uri, "study", artifacts, Storage(str(folder / "storage"))), print)
    assert not outbox.set_aside_events
    assert client.get_run(runs[FINAL.key].info.run_id).data.params["budget.epochs"] == "3"
