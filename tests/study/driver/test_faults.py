"""A driver that is killed, a checkpoint that was changed, a disk that fills up: real processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from study.tracking.names import KEY_TAG
from tests.conftest import ROOT, run_module

SETTINGS = """
name: faulty
datasets:
  fruit: {root: "drawn:fruit", train_limit: 64, validation_limit: 32}
architectures: [unet]
model: {image_size: 16, width: 2, batch_size: 16, device: cpu}
budget: {trials: 3, epochs: EPOCHS}
search: {sampler: random, pruner: none}
finals: {seeds: 1}
replicates: 1
seed: 0
controls: false
resources: {max_concurrent_trials: 1, max_failures: 1}
"""


def begin(folder: Path, epochs: int) -> subprocess.Popen[str]:
    (folder / "faulty.yaml").write_text(SETTINGS.replace("EPOCHS", str(epochs)))
    return subprocess.Popen(
        [sys.executable, "-m", "study.launch", folder / "faulty.yaml", "--home", folder / "runs"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def resume(folder: Path) -> subprocess.CompletedProcess[str]:
    return run_module("study.launch", "--name", "faulty", "--home", folder / "runs", "--resume")


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    url = f"sqlite:///{folder}/runs/faulty/ledger.db"
    return optuna.load_study(study_name="faulty/fruit/unet", storage=url).get_trials()


def runs(folder: Path) -> dict[str, object]:
    client = MlflowClient(f"sqlite:///{folder}/runs/faulty/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("faulty").experiment_id])
    for run in found:
        for metric in run.data.metrics:
            steps = Counter(point.step for point in client.get_metric_history(run.info.run_id, metric))
            assert set(steps.values()) == {1}, (run.data.tags[KEY_TAG], metric)
    by_key = {run.data.tags[KEY_TAG]: run for run in found}
    assert len(by_key) == len(found)
    return by_key


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 500
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_driver_goes_on_and_a_trial_whose_checkpoint_was_changed_fails_by_name(tmp_path):
    process = begin(tmp_path, epochs=30)
    checkpoints = tmp_path / "runs/faulty/storage/trials/fruit/unet/1/checkpoint"
    wait_until(lambda: len(list(checkpoints.glob("0*/state.json"))) > 0, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until_quiet(checkpoints)
    interrupted = next(trial for trial in trials(tmp_path) if trial.state is TrialState.RUNNING)
    assert interrupted.number == 1
    state = max(checkpoints.glob("0*/state.json"))
    state.write_text(state.read_text().replace('"epoch": 1', '"epoch": 2'))

    done = resume(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    after = trials(tmp_path)
    assert [trial.state for trial in after] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert after[1].params == interrupted.params
    assert "state.json was changed after it was written" in after[1].user_attrs["reason"]
    assert "state.json was changed after it was written" in done.stdout
    run = runs(tmp_path)["fruit/unet/1"]
    assert run.info.status == "FAILED"
    assert "state.json was changed" in run.data.tags["reason"]


def wait_until_quiet(folder: Path) -> None:
    """A worker outlives its driver for moments; it must not write once the test has changed its checkpoint."""
    before: list[Path] = []
    while before != (before := sorted(folder.iterdir())):
        time.sleep(3)


def test_a_full_disk_ends_the_driver_with_a_sentence_and_the_study_goes_on_when_there_is_room(tmp_path):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root and mount")
    disk = tmp_path / "runs"
    disk.mkdir()
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", disk], check=False).returncode
        != 0
    ):
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        process = begin(tmp_path, epochs=4)
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 1, output
        assert "Traceback" not in output
        assert "full" in output or "No space left" in output
        assert "--resume" in output
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        done = resume(tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [trial.state for trial in trials(tmp_path)] == [TrialState.COMPLETE] * 3
        assert {run.info.status for run in runs(tmp_path).values()} == {"FINISHED"}
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)  # this process still has its databases open
