"""What MLflow lost is delivered again, and only what MLflow itself refuses is set aside."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException

from study.errors import StudyError
from study.tracking.delivery import TrackingError, _is_refusal, deliver_all
from study.tracking.names import KEY_TAG
from study.tracking.outbox import Outbox
from study.tracking.tracker import Tracker
from tests.study.tracking.test_delivery import begin, connect, mirrored, trial, undisturbed  # noqa: F401
from tests.support.servers import free_port


@pytest.fixture
def delivered(tmp_path):
    """An outbox of three trials that MLflow has received."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    for number in range(3):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(uri, tmp_path), print)
    return outbox, uri


def experiment_of(uri: str) -> str:
    return MlflowClient(uri).get_experiment_by_name("study").experiment_id


def test_results_for_a_deleted_experiment_wait_and_arrive_when_it_is_restored(tmp_path, delivered):
    outbox, uri = delivered
    whole = mirrored(uri)
    client, experiment = MlflowClient(uri), experiment_of(uri)
    trial(Tracker(outbox), 3)
    client.delete_experiment(experiment)
    with pytest.raises(TrackingError, match=r"was deleted; restore it with .*mlflow experiments restore"):
        deliver_all(outbox, connect(uri, tmp_path), print)
    assert not outbox.empty
    assert not outbox.set_aside_events
    client.restore_experiment(experiment)
    assert deliver_all(outbox, connect(uri, tmp_path), print) > 0
    assert outbox.empty
    after = mirrored(uri)
    assert [len(points) for points in after.pop("fruit/unet")[2].values()] == [4]
    assert after.pop("fruit/unet/3")[0] == "FINISHED"
    assert after == {key: run for key, run in whole.items() if key != "fruit/unet"}


def test_an_experiment_deleted_while_results_arrive_sets_nothing_aside(tmp_path, delivered):
    outbox, uri = delivered
    connection = connect(uri, tmp_path)()
    MlflowClient(uri).delete_experiment(experiment_of(uri))
    trial(Tracker(outbox), 0, range(7, 9))
    with pytest.raises(TrackingError, match="was deleted in MLflow"):
        deliver_all(outbox, lambda: connection, print)
    assert not outbox.empty
    assert not outbox.set_aside_events


def test_a_deleted_run_is_told_and_delivered_again(tmp_path, delivered):
    outbox, uri = delivered
    whole, sentences = mirrored(uri), []
    client = MlflowClient(uri)
    runs = {run.data.tags[KEY_TAG]: run.info.run_id for run in client.search_runs([experiment_of(uri)])}
    client.delete_run(runs["fruit/unet"])
    deliver_all(outbox, connect(uri, tmp_path), sentences.append)
    assert "no longer has 1 of the study's runs (fruit/unet)" in sentences[0]
    assert mirrored(uri) == whole
    again = {run.data.tags[KEY_TAG]: run for run in client.search_runs([experiment_of(uri)])}
    assert again["fruit/unet/0"].data.tags["mlflow.parentRunId"] == again["fruit/unet"].info.run_id


def test_a_new_database_receives_the_whole_journal(tmp_path, delivered):
    outbox, uri = delivered
    fresh = f"sqlite:///{tmp_path}/restored.db"  # the process still holds the deleted file open
    deliver_all(outbox, connect(fresh, tmp_path), print)
    assert mirrored(fresh) == mirrored(uri)


def test_a_removed_journal_is_told_at_the_next_event(tmp_path, delivered):
    outbox, _ = delivered
    shutil.rmtree(tmp_path / "outbox")
    with pytest.raises(StudyError, match="was removed while the study ran"):
        trial(Tracker(outbox), 3)


def test_a_damaged_line_is_skipped_and_named(tmp_path, undisturbed):  # noqa: F811
    uri, sentences = f"sqlite:///{tmp_path}/mlflow.db", []
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    journal = tmp_path / "outbox" / "journal.jsonl"
    lines = len(journal.read_bytes().splitlines())
    with journal.open("ab") as file:
        file.write(b'{"run":"fruit/un\x00\x00\n')
    for number in range(3):
        trial(Tracker(outbox), number)
    deliver_all(outbox, connect(uri, tmp_path), sentences.append)
    assert sentences == [f"{journal}, line {lines + 1} is damaged and is skipped."]
    assert outbox.empty
    assert len(outbox.set_aside_events) == 1
    assert mirrored(uri) == undisturbed


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page of its own."""

    status = 404

    def answer(self) -> None:
        page = b"<html>no such backend</html>"
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("status", [400, 404, 409, 413, 502])
def test_a_proxys_own_page_is_no_refusal(tmp_path, monkeypatch, status):
    monkeypatch.setattr(Proxy, "status", status)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    with pytest.raises(TrackingError):
        deliver_all(outbox, connect(f"http://127.0.0.1:{server.server_port}", tmp_path), print)
    server.shutdown()
    assert outbox.delivered == 0
    assert not outbox.refused.exists()


def test_a_dead_proxy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://me:hidden@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    with pytest.raises(TrackingError) as told:
        deliver_all(outbox, connect("http://mlflow.example:5000", tmp_path), print)
    assert str(told.value) == (
        "MLflow did not take the results: the proxy http://me:***@127.0.0.1:9 that http_proxy names does not answer."
    )


def test_what_counts_as_a_refusal():
    too_large = requests.HTTPError("413", response=requests.Response())
    too_large.response.status_code = 413
    away = requests.HTTPError("404", response=requests.Response())
    away.response.status_code = 404
    assert _is_refusal(too_large)
    assert _is_refusal(RestException({"error_code": "INVALID_PARAMETER_VALUE", "message": "too long"}))
    for error in (
        away,
        RestException({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no run"}),
        RestException({"error_code": "PERMISSION_DENIED", "message": "no"}),
        MlflowException("API request failed with error code 400 != 200. Response body: '<html>'", 3),
        ConnectionError(),
    ):
        assert not _is_refusal(error)


def test_an_artifact_that_is_too_large_is_set_aside_alone(tmp_path, undisturbed, monkeypatch):  # noqa: F811
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    outbox = Outbox(tmp_path / "outbox")
    begin(Tracker(outbox))
    Tracker(outbox).document("large.json", "x" * 100)
    for number in range(3):
        trial(Tracker(outbox), number)
    original = MlflowClient.log_text

    def log_text(client: MlflowClient, run: str, text: str, path: str) -> None:
        if path == "large.json":
            response = requests.Response()
            response.status_code = 413
            raise requests.HTTPError("413 Request Entity Too Large", response=response)
        original(client, run, text, path)

    monkeypatch.setattr(MlflowClient, "log_text", log_text)
    deliver_all(outbox, connect(uri, tmp_path), print)
    assert [event["path"] for event in outbox.set_aside_events] == ["large.json"]
    assert mirrored(uri) == undisturbed


def test_a_journal_that_says_more_than_it_holds_is_delivered_whole(tmp_path, delivered):
    outbox, _ = delivered
    (tmp_path / "outbox" / "delivered").write_text("999999999 ")
    assert outbox.delivered == 0
    (tmp_path / "outbox" / "delivered").write_text("nonsense")
    assert outbox.delivered == 0
    assert json.loads(Path(tmp_path / "outbox/journal.jsonl").read_text().splitlines()[0])["do"] == "open"
