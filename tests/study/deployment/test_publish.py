"""Ready-to-use models of a finished study: in MLflow, registered, served, and beside the study."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from models.colorizer import Colorizer
from study import colorize
from study.comparison.selection import best_trial, champion_of
from study.deployment.mlflow_models import ALIAS, requirements
from study.deployment.publish import publish_models
from study.errors import StudyError
from study.search.trial_spec import TrialState
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord
from tests.conftest import ROOT, FinishedStudy
from tests.support.documents import blocks

CELLS = [("fruit", "koalarization"), ("fruit", "unet"), ("fruit", "cgan")]
LOAD = """
import base64, io, json, sys
import mlflow, numpy as np, pandas as pd
from PIL import Image
file = io.BytesIO()
Image.radial_gradient("L").resize((30, 40)).save(file, "PNG")
table = pd.DataFrame({"image": [base64.b64encode(file.getvalue()).decode(), "aGVsbG8="]})
mlflow.set_tracking_uri(sys.argv[1])
grey = np.random.default_rng(0).integers(0, 256, (2, 40, 56), dtype=np.uint8)
for uri in sys.argv[2:]:
    model = mlflow.pyfunc.load_model(uri)
    colour = model.predict(grey)
    made, refused = model.predict(table)
    with Image.open(io.BytesIO(base64.b64decode(made["image"]))) as image:
        size, form = list(image.size), image.format
    colourful = int(np.ptp(colour, axis=-1).max())
    print(json.dumps([uri, list(colour.shape), str(colour.dtype), colourful, size, form, refused]))
"""


def in_another_folder(tmp_path, *arguments, tracking_uri):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "MLFLOW_TRACKING_URI": tracking_uri}
    return {"args": [sys.executable, *arguments], "cwd": tmp_path, "env": environment}


@pytest.fixture(scope="module")
def record(tiny_study: FinishedStudy) -> StudyRecord:
    return tiny_study.record()


@pytest.fixture(scope="module")
def client(record: StudyRecord) -> MlflowClient:
    return MlflowClient(record.uri, record.uri)


def state(client: MlflowClient, record: StudyRecord):
    experiment = client.get_experiment_by_name(record.name)
    models = client.search_logged_models([experiment.experiment_id])
    runs = client.search_runs([experiment.experiment_id])
    return (
        sorted(model.model_id for model in models),
        sorted((run.info.run_id, run.info.status, run.info.end_time) for run in runs),
        [(one.version, one.tags) for one in client.search_model_versions("name = 'tiny-fruit'")],
        client.get_registered_model("tiny-fruit").aliases,
    )


def test_a_model_belongs_to_its_final_and_shows_its_test_metrics(
    client: MlflowClient, record: StudyRecord
) -> None:
    experiment = client.get_experiment_by_name(record.name)
    finals = {trial.run_id: trial for trial in record.trials if trial.final}
    for model in client.search_logged_models([experiment.experiment_id]):
        final = finals[model.source_run_id]
        shown = {metric.key: metric.value for metric in model.metrics}
        assert shown == {f"test/{name}": pytest.approx(value) for name, value in final.test.items()}
        points = client.get_metric_history(final.run_id, "test/ciede2000")
        assert len({(point.step, point.timestamp) for point in points}) == 1


def test_every_cells_model_loads_and_colours_in_a_fresh_process_elsewhere(record, tmp_path):
    uris = [record.model_uri(*cell) for cell in CELLS]
    assert all(uris)
    done = subprocess.run(
        **in_another_folder(tmp_path, "-c", LOAD, record.uri, *uris, tracking_uri=record.uri),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [answer[0] for answer in answers] == uris
    for _, shape, kind, colourful, size, form, refused in answers:
        assert (shape, kind) == ([2, 40, 56, 3], "uint8")
        assert colourful > 0
        assert (size, form) == ([30, 40], "PNG")
        assert refused == {
            "image": "",
            "message": "image 2 is refused: it is not an image in a known format.",
        }


def test_the_champion_is_registered_with_its_card(record, client):
    winner = champion_of(record, "fruit")
    version = client.get_model_version_by_alias("tiny-fruit", ALIAS)
    assert version.tags["study.trial"] == winner.key
    card = client.get_registered_model("tiny-fruit").description
    assert "plausible, not historical" in card
    assert "not photographs" in card
    assert "grey copy" in card
    assert "Licence" in card
    assert card == version.description


def test_publishing_again_changes_nothing(tiny_study, record, client):
    before = state(client, record)
    said = []
    publish_models(tiny_study.settings, tiny_study.study_home, said.append)
    assert state(client, record) == before
    assert said == []


def test_a_server_that_is_away_is_one_sentence(tiny_study):
    settings = tiny_study.settings
    away = settings.tracking.model_copy(update={"uri": "http://127.0.0.1:9"})
    with pytest.raises(StudyError, match=r"MLflow at http://127\.0\.0\.1:9 does not answer"):
        publish_models(settings.model_copy(update={"tracking": away}), tiny_study.study_home)


def test_colorize_finds_the_studys_champion_without_mlflow(tiny_study, tmp_path):
    grey = np.tile(np.linspace(0, 255, 70, dtype=np.uint8), (50, 1))
    Image.fromarray(grey).save(tmp_path / "grey.png")
    arguments = [str(tmp_path / "grey.png"), "--output", str(tmp_path / "out")]
    assert colorize.main([*arguments, "--name", "tiny", "--home", str(tiny_study.home)]) == 0
    folder = tiny_study.study_home.champion("fruit")
    expected = Colorizer.load(folder).colour(grey)
    with Image.open(tmp_path / "out" / "grey.png") as image:
        assert np.array_equal(np.asarray(image), expected)
    assert (folder / "README.md").read_text().startswith("# tiny:")


def test_colorize_takes_a_registered_model(record, tmp_path):
    Image.new("L", (30, 20), 120).save(tmp_path / "grey.png")
    arguments = [str(tmp_path / "grey.png"), "--output", str(tmp_path / "out")]
    model = ["--model", "models:/tiny-fruit@champion", "--tracking-uri", record.uri]
    assert colorize.main([*arguments, *model]) == 0
    assert (tmp_path / "out" / "grey.png").is_file()
    assert mlflow.get_tracking_uri() != record.uri  # a notebook's own address is as it was


def test_mlflow_serves_the_champion_over_http(record, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["-m", "mlflow", "models", "serve", "-m", "models:/tiny-fruit@champion", "--env-manager", "local"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    started = in_another_folder(tmp_path, *serve, *where, tracking_uri=record.uri)
    # MLflow starts `uvicorn` by its name.
    started["env"]["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{started['env'].get('PATH', '')}"
    with (tmp_path / "serve.log").open("w") as log:
        server = subprocess.Popen(**started, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, tmp_path / "serve.log")
        grey = np.tile(np.linspace(0, 255, 60, dtype=np.uint8), (1, 44, 1))
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            data=json.dumps({"inputs": grey.tolist()}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            coloured = np.array(json.load(answer)["predictions"], dtype=np.uint8)
        (example,) = [one for one in blocks(ROOT / "docs" / "serving.md") if "/invocations" in one.text]
        Image.linear_gradient("L").save(tmp_path / "harbour.jpg")
        (tmp_path / "market.png").write_text("no image")
        program = example.text.replace("http://127.0.0.1:5001", f"http://127.0.0.1:{port}")
        shown = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    assert coloured.shape == (1, 44, 60, 3)
    assert np.ptp(coloured, axis=-1).max() > 0
    assert shown.stdout.splitlines() == [
        "harbour.jpg coloured",
        "market.png image 2 is refused: it is not an image in a known format.",
    ], shown.stderr
    with Image.open(tmp_path / "coloured-harbour.jpg") as image:
        assert (image.size, image.mode) == ((256, 256), "RGB")


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 500
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(log.read_text()[-3000:])


def test_requirements_are_pinned_without_local_builds():
    assert any(one.startswith("torch==") for one in requirements())
    assert not any("+" in one for one in requirements())


@dataclass
class Results:
    """What `champion_of` asks of a record."""

    trials: dict[str, list[TrialRecord]]
    replicates = 1
    settings: ClassVar[dict] = {}
    usage: ClassVar[dict] = {}

    @property
    def cells(self):
        return [("fruit", name) for name in self.trials]

    def finals(self, _dataset, name):
        return [one for one in self.trials[name] if one.final and one.state == TrialState.COMPLETE]

    def search(self, _dataset, name):
        return [one for one in self.trials[name] if not one.final]


def trial(name, number, best, final=False, state=TrialState.COMPLETE, test=9.0):
    key = f"fruit/{name}/{'final-' if final else ''}{number}"
    measured = {"ciede2000": test} if final else {}
    told = dict.fromkeys(TrialRecord.__dataclass_fields__, "")
    known = {
        "key": key,
        "dataset": "fruit",
        "architecture": name,
        "role": "final" if final else "trial",
        "replicate": 1,
        "number": number,
        "state": state,
        "params": {},
        "best": best,
        "test": measured,
    }
    return TrialRecord(**{**told, **known})


def test_the_winner_has_the_lowest_mean_validation_of_its_finals_whatever_the_test_says():
    results = Results(
        {
            "unet": [
                trial("unet", 0, 3.0),
                *(trial("unet", n, v, True, test=1.0) for n, v in enumerate((9, 11))),
            ],
            "cgan": [trial("cgan", 0, 8.0), *(trial("cgan", n, v, True) for n, v in enumerate((9.5, 9.3)))],
            "koalarization": [trial("koalarization", 0, 0.1)],
        }
    )
    assert champion_of(results, "fruit").key == "fruit/cgan/final-1"
    assert best_trial(results, "fruit", "unet").key == "fruit/unet/final-0"


def test_without_finals_the_best_complete_search_trial_wins():
    results = Results(
        {
            "unet": [
                trial("unet", 0, 5.0),
                trial("unet", 1, 4.0),
                trial("unet", 2, 1.0, state=TrialState.PRUNED),
            ],
            "cgan": [trial("cgan", 0, None, state=TrialState.FAIL)],
        }
    )
    assert champion_of(results, "fruit").key == "fruit/unet/1"
    assert best_trial(results, "fruit", "cgan") is None


def test_a_dataset_without_a_complete_trial_has_no_champion():
    assert champion_of(Results({"unet": [trial("unet", 0, None, state=TrialState.FAIL)]}), "fruit") is None
