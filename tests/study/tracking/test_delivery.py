"""From the outbox to MLflow: servers that go away, drivers that die, results that are refused."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from study.search.cells import Cell, Stage
from study.search.trial_spec import End, TrialSpec, TrialState
from study.storage.storage import Storage
from study.sync import main as sync
from study.tracking.delivery import DeliveryThread, TrackingError, deliver_all
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.names import KEY_TAG
from study.tracking.outbox import Outbox
from study.tracking.owner import experiment_number
from study.tracking.tracker import Tracker

CELL = Cell("fruit", "unet", epochs=6)


def begin(tracker: Tracker) -> None:
    tracker.open_study({"study.json": "{}"}, {"version.python": "3"})
    tracker.open_cell(CELL)


def trial(tracker: Tracker, number: int, epochs: range = range(1, 7)) -> None:
    work = TrialSpec("fruit", "unet", Stage.SEARCH, number, {"learning_rate": 1e-3 * (number + 1)}, number, 6)
    tracker.started(work)
    for epoch in epochs:
        tracker.reported(work, {"epoch": epoch, "loss": 1 / (epoch + number), "ciede2000": 20.0 - epoch})
    tracker.ended(work, End(TrialState.COMPLETE, "", 14.0, 6, 6.0, None, number + 1, 14.0))


def connect(uri: str, folder: Path) -> Callable[[], MlflowRuns]:
    artifacts = None if uri.startswith("http") else (folder / "artifacts").as_uri()
    return lambda: MlflowRuns(uri, "study", artifacts, Storage(str(folder / "storage")))


def mirrored(uri: str, study: str = "study") -> dict[str, object]:
    """Status, parameters and every metric's points of every run."""
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name(study).experiment_id])
    return {
        run.data.tags[KEY_TAG]: (
            run.info.status,
            run.data.params,
            {
                metric: sorted(
                    (point.step, point.value) for point in client.get_metric_history(run.info.run_id, metric)
                )
                for metric in run.data.metrics
            },
        )
        for run in runs
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("undisturbed")
    uri = f"sqlite:///{tmp_path}/undisturbed.db"
    outbox = Outbox(tmp_path / "undisturbed")
    begin(Tracker(outbox))
    for number in range(3):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(uri, tmp_path), print)
    return mirrored(uri)


def test_a_server_that_is_killed_and_comes_back_ends_with_the_history_of_an_undisturbed_study(
    tmp_path, undisturbed, mlflow_server, monkeypatch, capsys
):
    monkeypatch.setattr("study.tracking.delivery._RETRY_SECONDS", 0.5)
    outbox, sentences = Outbox(tmp_path / "outbox"), []
    tracker = Tracker(outbox)
    numbers = []
    thread = DeliveryThread(
        outbox, connect(mlflow_server.uri, tmp_path), sentences.append, connected=numbers.append
    )
    begin(tracker)
    trial(tracker, 0)
    wait_until(lambda: outbox.delivered > 0)
    trial(tracker, 1, range(1, 4))
    mlflow_server.kill()
    trial(tracker, 1)  # the driver was resumed meanwhile: epochs come again
    trial(tracker, 2)
    wait_until(lambda: any("away" in sentence for sentence in sentences))
    mlflow_server.start()
    wait_until(lambda: outbox.empty)
    assert thread.finish(60)
    assert any("back" in sentence for sentence in sentences)
    assert numbers == [experiment_number(mlflow_server.uri, "study")]  # told once
    assert without_repeated_costs(mirrored(mlflow_server.uri)) == without_repeated_costs(undisturbed)
    assert capsys.readouterr().out == ""  # MLflow itself would tell the address of every run


def without_repeated_costs(runs: dict[str, object]) -> dict[str, object]:
    assert all(
        len(points) == len({step for step, _ in points})
        for _, _, metrics in runs.values()
        for points in metrics.values()
    )
    return runs


def test_a_driver_that_died_between_delivery_and_its_mark_delivers_nothing_twice(tmp_path, undisturbed):
    uri = f"sqlite:///{tmp_path}/again.db"
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    for number in range(3):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(uri, tmp_path), print)
    outbox.mark_delivered(0)
    deliver_all(outbox, connect(uri, tmp_path), print)
    assert mirrored(uri) == undisturbed


def test_another_destination_gets_everything(tmp_path, undisturbed):
    first, second = (f"sqlite:///{tmp_path}/{name}.db" for name in ("first", "second"))
    outbox = Outbox(tmp_path / "outbox", first)
    begin(Tracker(outbox))
    for number in range(3):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(first, tmp_path), print)
    deliver_all(Outbox(tmp_path / "outbox", second), connect(second, tmp_path), print)
    assert mirrored(second) == undisturbed


def test_what_mlflow_refuses_for_good_is_set_aside_and_does_not_block_the_rest(tmp_path, undisturbed):
    uri = f"sqlite:///{tmp_path}/refusing.db"
    outbox, sentences = Outbox(tmp_path / "outbox"), []
    begin(Tracker(outbox))
    trial(Tracker(outbox), 0)
    outbox.append({"run": "fruit/unet/0", "do": "metrics", "time": 0, "step": 1, "values": {"x" * 300: 1.0}})
    outbox.append({"run": "nobody", "do": "metrics", "time": 0, "step": 1, "values": {"loss": 1.0}})
    for number in (1, 2):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(uri, tmp_path), sentences.append)
    assert outbox.empty
    assert mirrored(uri) == undisturbed
    refused = [json.loads(line) for line in outbox.refused.read_text().splitlines()]
    assert [event["run"] for event in refused] == ["fruit/unet/0", "nobody"]
    assert all(str(outbox.refused) in sentence for sentence in sentences)


def test_sync_of_a_study_that_does_not_exist_says_so(tmp_path, capsys):
    assert sync(["--name", "nothing", "--home", str(tmp_path)]) == 2
    assert "There is no study nothing" in capsys.readouterr().err


def test_a_server_that_stays_away_is_an_error_that_names_what_to_wait_for(tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    with pytest.raises(TrackingError, match="MLflow did not take the results"):
        deliver_all(outbox, connect("http://127.0.0.1:9", tmp_path), print)
    assert not outbox.empty


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 500
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
