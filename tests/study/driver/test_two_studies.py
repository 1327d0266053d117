"""Two people who give their studies one name and one place, from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import run_module
from tests.study.driver.test_resume import ONE_CELL


def launch(folder: Path, home: str, *words: str):
    file = folder / "one.yaml"
    file.write_text(ONE_CELL)
    return run_module("study.launch", file, "--home", folder / home, *words)


def test_the_results_of_one_are_never_the_others(tmp_path):
    shared = ("--storage", str(tmp_path / "shared"), "--tracking.uri", f"sqlite:///{tmp_path}/shared.db")
    first = launch(tmp_path, "runs", *shared)
    assert first.returncode == 0, first.stdout + first.stderr
    table = run_module("study.export", "--name", "one", "--home", tmp_path / "runs").stdout

    second = launch(tmp_path, "theirs", *shared, "--seed", "7")
    assert second.returncode == 2
    assert "Traceback" not in second.stderr
    assert "storage" in second.stderr
    assert "an experiment one that belongs to another study" in second.stderr
    assert "a registered model one-fruit that belongs to another study" in second.stderr
    assert not (tmp_path / "theirs").exists()

    shutil.rmtree(tmp_path / "runs" / "one")
    again = launch(tmp_path, "runs", *shared, "--seed", "7")
    assert again.returncode == 2
    assert "choose another --name" in again.stderr

    other = launch(tmp_path, "runs", *shared, "--seed", "7", "--name", "other")
    assert other.returncode == 0, other.stdout + other.stderr
    assert run_module("study.export", "--name", "other", "--home", tmp_path / "runs").stdout != table


def test_a_study_whose_tracker_is_gone_ends_with_table_report_and_exit_code_1(tmp_path):
    done = launch(tmp_path, "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    home = tmp_path / "runs" / "one"
    (home / "report.html").unlink()
    (home / "mlflow.db").unlink()
    (home / "mlflow.db").mkdir()  # nothing can be delivered there
    gone = run_module("study.launch", "--name", "one", "--home", tmp_path / "runs", "--resume")
    assert gone.returncode == 1, gone.stdout + gone.stderr
    assert "python -m study.sync --name one" in gone.stdout
    assert "made from the study's own journal" in gone.stdout
    assert "grey copy" in gone.stdout
    assert (home / "report.html").is_file()
    (home / "mlflow.db").rmdir()
    synced = run_module("study.sync", "--name", "one", "--home", tmp_path / "runs")
    assert synced.returncode == 0, synced.stdout + synced.stderr
    table = run_module("study.export", "--name", "one", "--home", tmp_path / "runs")
    assert table.returncode == 0
    assert "unet" in table.stdout
