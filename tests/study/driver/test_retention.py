"""Checkpoints that no trial goes on from do not stay on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from study.clean import main as clean
from study.driver.retention import Retention
from study.export import main as export
from study.search.trial_spec import TrialState
from study.settings.study_folder import StudyHome
from study.storage.paths import CHECKPOINT, trial_folder
from study.storage.storage import Storage
from tests.conftest import FinishedStudy, run_module
from tests.support.simulated import simulate, study_settings


def test_a_trial_keeps_its_checkpoint_as_long_as_it_may_go_on(tmp_path):
    storage = Storage(str(tmp_path / "storage"))
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.json").write_text("{}")
    simulation, conductor, ledger, diary = simulate(study_settings())
    retention = Retention(storage)
    conductor._listeners = [diary, Saver(storage, tmp_path / "checkpoint"), retention]
    simulation.run()
    retention.sweep()
    kept = {key.removesuffix(f"/{CHECKPOINT}") for key in storage.keys("trials")}
    complete = {
        trial_folder(f"{cell.key}/{trial.number}")
        for cell in ledger.cells
        for trial in ledger.search(cell.key).trials(TrialState.COMPLETE)
    }
    assert kept == complete
    assert any(ledger.search(cell.key).trials(TrialState.PRUNED) for cell in ledger.cells)


class Saver:
    """Saves a checkpoint with every report, as a worker does before it."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage, self._folder = storage, folder

    def reported(self, spec, report):
        self._storage.save(f"{trial_folder(spec.key)}/{CHECKPOINT}", self._folder)

    def started(self, *_):
        pass

    placed = pictured = ended = noted = started


@pytest.fixture
def copied(tiny_study: FinishedStudy, tmp_path: Path) -> StudyHome:
    target = tmp_path / "runs" / "tiny"
    shutil.copytree(tiny_study.study_home.root, target)
    return StudyHome(target)


def size_of_files(home: StudyHome) -> int:
    """Of the storage; SQLite's journals come and go beside it."""
    return sum(path.stat().st_size for path in (home.root / "storage").rglob("*") if path.is_file())


def checkpoints(home: StudyHome) -> set[str]:
    return {str(path.parent.parent.relative_to(home.root)) for path in home.root.rglob("state.json")}


def test_a_finished_study_keeps_what_an_extension_needs(tiny_study):
    numbers = {Path(path).parent.name for path in checkpoints(tiny_study.study_home)}
    assert numbers <= {"0", "1", "2", "3"}
    assert numbers


def test_clean_frees_checkpoints_and_the_table_and_the_models_stay(copied, capsys):
    home = str(copied.root.parent)
    export(["--name", "tiny", "--home", home])
    table = capsys.readouterr().out
    before = size_of_files(copied)
    assert clean(["--name", "tiny", "--home", home]) == 0
    freed = float(capsys.readouterr().out.partition("Freed ")[2].split()[0]) * 2**20
    assert before - size_of_files(copied) == pytest.approx(freed, rel=0.1)
    assert not checkpoints(copied)
    assert list((copied.root / "storage").rglob("weights.safetensors"))
    export(["--name", "tiny", "--home", home])
    assert capsys.readouterr().out == table
    again = run_module("study.launch", "--name", "tiny", "--home", home, "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing is left to do." in again.stdout


def test_clean_with_keep_champions_leaves_the_champions_alone(copied, capsys):
    assert clean(["--name", "tiny", "--home", str(copied.root.parent), "--keep-champions"]) == 0
    assert not (copied.root / "storage" / "trials").exists()
    assert (copied.champion("fruit") / "config.json").is_file()
