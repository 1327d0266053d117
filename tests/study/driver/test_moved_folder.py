"""A study's folder works wherever it lies: moved, copied, resumed, read."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import mlflow
import pytest

from study.deployment.model_source import load_model
from study.errors import UsageError
from study.export import main as export
from study.report import main as report
from study.settings.study_folder import StudyHome, sqlite_url
from study.tracking.mlflow_client import mlflow_client
from study.tracking.moved import follow_folder
from tests.conftest import FinishedStudy, run_module


@pytest.fixture
def copied(tiny_study: FinishedStudy, tmp_path: Path) -> StudyHome:
    """A copy of a finished study, in a folder whose name must be quoted."""
    target = tmp_path / "a copy #1" / "tiny"
    shutil.copytree(tiny_study.study_home.root, target)
    return StudyHome(target)


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file, databases' journals and locks apart."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def text_of(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        return "\n".join(connection.iterdump())


def test_a_copied_study_is_read_where_it_lies(tiny_study, copied, tmp_path, capsys):
    before = everything(tiny_study.study_home.root)
    home = str(copied.root.parent)
    assert export(["--name", "tiny", "--home", home, "--format", "csv"]) == 0
    printed = capsys.readouterr()
    assert "unet" in printed.out
    assert f"now points to {copied.root}" in printed.err
    assert report(["--name", "tiny", "--home", home]) == 0
    assert "now points to" not in capsys.readouterr().err  # told once
    assert copied.report.stat().st_mtime > tiny_study.study_home.report.stat().st_mtime
    text = text_of(copied.root / "mlflow.db")
    assert str(tiny_study.study_home.root) not in text
    assert everything(tiny_study.study_home.root) == before


def test_a_copied_champion_is_loaded_by_its_address_alone(tiny_study, copied, tmp_path):
    uri = sqlite_url(copied.root / "mlflow.db")
    hidden = tiny_study.study_home.root.with_name("hidden")
    tiny_study.study_home.root.rename(hidden)
    try:
        load_model("models:/tiny-fruit@champion", uri)
        mlflow.set_tracking_uri(uri)
        assert mlflow.pyfunc.load_model("models:/tiny-fruit@champion")
        client = mlflow_client(uri)
        run = client.search_runs([client.get_experiment_by_name("tiny").experiment_id], max_results=1)[0]
        assert client.list_artifacts(run.info.run_id)
    finally:
        hidden.rename(tiny_study.study_home.root)


def test_a_copied_study_goes_on_where_it_lies(tiny_study, copied):
    before = everything(tiny_study.study_home.root)
    more = ("--resume", "--budget.trials", "5")
    done = run_module("study.launch", "--name", "tiny", "--home", copied.root.parent, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (copied.root / "storage/trials/fruit/unet/4").is_dir()
    assert str(tiny_study.study_home.root) not in text_of(copied.root / "mlflow.db")
    assert everything(tiny_study.study_home.root) == before


def test_a_link_to_the_folder_is_no_other_folder(tiny_study, copied, tmp_path, capsys):
    follow_folder(sqlite_url(copied.root / "mlflow.db"))
    text = text_of(copied.root / "mlflow.db")
    (tmp_path / "link").symlink_to(copied.root.parent)
    capsys.readouterr()
    follow_folder(sqlite_url(tmp_path / "link" / "tiny" / "mlflow.db"))
    assert capsys.readouterr().err == ""
    assert text_of(copied.root / "mlflow.db") == text


@pytest.mark.parametrize("name", ["what?", "50%41"])
def test_a_home_that_a_database_address_cannot_hold_is_refused(tmp_path, name):
    done = run_module("study.launch", "--home", tmp_path / name, "--dry-run")
    assert done.returncode == 2
    assert "database addresses cannot hold; choose another --home" in done.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError):
        sqlite_url(tmp_path / name)
