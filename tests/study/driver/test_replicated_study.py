"""Two replicates and a control, with a driver that is killed on the way: real processes."""

import os
import signal
import subprocess
import sys

import optuna
from mlflow import MlflowClient
from optuna.trial import TrialState

from study.tracking.names import KEY_TAG
from study.tracking.record import StudyRecord
from tests.conftest import ROOT, run_module
from tests.study.driver.test_faults import wait_until

SETTINGS = """
name: twice
seed: 1
replicates: 2
datasets:
  fruit: {root: "drawn:fruit", train_limit: 64, validation_limit: 32}
architectures: [unet, cgan]
model: {image_size: 16, width: 2, batch_size: 16, device: cpu}
budget: {trials: 1, epochs: 3}
search: {sampler: random, pruner: none, space: {cgan: {generator_init: [unet]}}}
resources: {max_concurrent_trials: 1}
"""
CELLS = ("fruit/unet", "fruit/unet/replicate-2", "fruit/cgan", "fruit/cgan/replicate-2")


def test_two_replicates_with_controls_survive_a_killed_driver(tmp_path):
    (tmp_path / "twice.yaml").write_text(SETTINGS)
    home = tmp_path / "runs"
    process = subprocess.Popen(
        [sys.executable, "-m", "study.launch", tmp_path / "twice.yaml", "--home", home],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    later = home / "twice/storage/trials/fruit/unet/replicate-2"
    wait_until(later.exists, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    done = run_module("study.launch", "--name", "twice", "--home", home, "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    for cell in CELLS:
        parts = ("", "/finals", "/controls") if "cgan" in cell else ("", "/finals")
        for part in parts:
            ledger = optuna.load_study(
                study_name=f"twice/{cell}{part}", storage=f"sqlite:///{home}/twice/ledger.db"
            )
            assert [trial.state for trial in ledger.get_trials()] == [TrialState.COMPLETE]

    uri = f"sqlite:///{home}/twice/mlflow.db"
    runs = MlflowClient(uri).search_runs([MlflowClient(uri).get_experiment_by_name("twice").experiment_id])
    keys = [run.data.tags[KEY_TAG] for run in runs]
    expected = [*CELLS, *(f"{cell}/{which}" for cell in CELLS for which in ("0", "final-0"))]
    assert sorted(keys) == sorted(
        [*expected, "fruit/cgan/control-0", "fruit/cgan/replicate-2/control-0", "study"]
    )

    record = StudyRecord(uri, "twice")
    assert (record.replicates, record.looks) == (2, [2])
    for name in ("unet", "cgan"):
        finals = record.finals("fruit", name)
        assert [final.replicate for final in finals] == [1, 2]
        assert len({final.seed for final in finals}) == 2
        assert all(final.collapsed is not None for final in finals)
        positions = [record.evaluation(final)["index"].tolist() for final in finals]
        assert positions[0] == positions[1]
    for final, control in zip(finals, record.controls("fruit", "cgan"), strict=True):
        assert (control.replicate, control.controls) == (final.replicate, final.number)
        assert (control.seed, control.epochs, control.generator_from) == (final.seed, final.epochs, 0)
        assert control.test["ciede2000"] != final.test["ciede2000"]
