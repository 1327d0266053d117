"""A whole study with its ledger and MLflow on PostgreSQL and its checkpoints in an S3-compatible store."""

import subprocess

import optuna
import psycopg
import pytest
from optuna.trial import TrialState

from study.storage.storage import Storage
from study.tracking.record import StudyRecord
from tests.conftest import run_module
from tests.support.servers import BUCKET, PASSWORD

SETTINGS = """
name: served
datasets:
  fruit: {root: "drawn:fruit", train_limit: 64, validation_limit: 32}
architectures: [unet]
model: {image_size: 16, width: 2, batch_size: 16, device: cpu}
budget: {trials: 2, epochs: 2}
search: {sampler: random, pruner: none}
finals: {seeds: 1}
replicates: 1
seed: 0
controls: false
resources: {max_concurrent_trials: 1}
"""


@pytest.fixture(scope="module")
def database(postgres):
    with psycopg.connect(f"postgresql://{postgres}/postgres", autocommit=True) as connection:
        for name in ("ledger", "mlflow"):
            connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://{postgres}"


def test_a_study_on_postgresql_and_an_object_store(database, s3_server, tmp_path):
    (tmp_path / "served.yaml").write_text(SETTINGS)
    addresses = [
        "--ledger", f"{database}/ledger", "--tracking.uri", f"{database}/mlflow", "--storage", f"s3://{BUCKET}/photos",
    ]  # fmt: skip
    done = run_module("study.launch", tmp_path / "served.yaml", "--home", tmp_path / "runs", *addresses)
    assert done.returncode == 0, done.stdout + done.stderr
    trials = optuna.load_study(study_name="served/fruit/unet", storage=f"{database}/ledger").get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2
    record = StudyRecord(f"{database}/mlflow", "served")
    assert [trial.state for trial in record.trials] == ["COMPLETE"] * 3
    assert record.finished
    keys = Storage(f"s3://{BUCKET}/photos/served").keys("trials")
    assert {key for key in keys if key.endswith("checkpoint")} == {
        f"trials/fruit/unet/{name}/checkpoint" for name in ("0", "1")
    }
    home = tmp_path / "runs" / "served"
    assert not list(home.glob("*.db"))

    # No secret on disk, on the console or in MLflow.
    assert PASSWORD not in done.stdout + done.stderr
    found = subprocess.run(["grep", "-rl", PASSWORD, tmp_path], capture_output=True, check=False)
    assert found.stdout == b""
    with psycopg.connect(f"postgresql://{database.partition('://')[2]}/mlflow") as connection:
        for table in ("params", "tags", "experiment_tags", "runs"):
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            assert PASSWORD not in str(rows)

    again = run_module("study.launch", "--name", "served", "--home", tmp_path / "runs", "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing is left to do." in again.stdout
