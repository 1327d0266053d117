"""`python -m study.status`: what another terminal shows of studies that run, stopped or finished."""

import io
import json
import subprocess
import sys
import threading

import pytest
from rich.console import Console

from study.search.database import open_storage
from study.search.ledger import StudyLedger
from study.search.trial_spec import TrialState
from study.settings.space import searched
from study.settings.study_folder import StudyHome, only_driver
from study.status.__main__ import _watch, main
from study.status.reading import StudyState, read_status
from study.status.tables import study_table
from tests.support.simulated import study_settings

SPACE = searched("unet", {}, pretrained=False)


def shown(table, width=80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


@pytest.fixture
def begun(tmp_path):
    """A study with one complete trial, one that is running, and nothing else."""
    settings = study_settings(name="begun", replicates=2)
    home = StudyHome(tmp_path / "begun")
    home.write_settings(settings)
    cell = StudyLedger(open_storage(home.ledger_url(settings)), settings).search("fruit/unet")
    for number in range(2):
        cell.ask(SPACE)
        cell.report(number, 1, 12.0 + number)
    for epoch in range(2, 10):
        cell.report(0, epoch, 12.0 - epoch / 2)
    cell.finish(0, TrialState.COMPLETE, device_seconds=90.0)
    return home


def test_a_study_whose_driver_is_gone_has_stopped(begun, capsys):
    one = read_status(begun)
    assert one.state is StudyState.STOPPED
    assert not one.driver
    assert main(["show", "begun", "--home", str(begun.root.parent)]) == 0
    assert "begun: stopped" in capsys.readouterr().out


def test_a_running_study_shows_its_epochs_its_best_and_the_time_left(begun):
    with only_driver(begun.root):
        one = read_status(begun)
    assert one.state is StudyState.RUNNING
    assert one.driver.startswith("process ")
    table = shown(study_table(one))
    (row,) = [line for line in table.splitlines() if "fruit/unet" in line]
    assert row.split() == ["fruit/unet", "×2", "1/16", "1/9", "7.500", "0/4"]
    assert "…" not in table
    # 10 s an epoch: 6 cells × 2 replicates × (8 trials + 2 finals) × 9 epochs, less those that are done.
    assert one.minutes_left == pytest.approx((6 * 2 * 10 * 9 - 9 - 1) * 10 / 60)


def test_the_numbers_are_also_there_for_programs(begun, capsys):
    assert main(["show", "begun", "--home", str(begun.root.parent), "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    cell = next(one for one in content["cells"] if one["cell"] == "fruit/unet")
    assert cell["best"] == 7.5
    assert cell["stages"]["search"]["running"] == {"fruit/unet/1": 1}


def test_watching_ends_with_the_driver(begun, monkeypatch):
    ended = threading.Event()
    reads = []

    def read():
        one = read_status(begun)
        reads.append(one.state)
        if len(reads) == 2:
            driver.__exit__(None, None, None)
            ended.set()
        return one

    monkeypatch.setattr("study.status.__main__._SECONDS", 0.01)
    driver = only_driver(begun.root)
    driver.__enter__()
    assert _watch(read, Console(file=io.StringIO())) == 0
    assert ended.is_set()
    assert reads[-1] is StudyState.STOPPED


def test_the_list_names_finished_studies_and_those_that_cannot_be_read(tiny_study, begun, tmp_path, capsys):
    (tmp_path / "tiny").symlink_to(tiny_study.home / "tiny")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.yaml").write_text("name: [")
    assert main(["list", "--home", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "finished" in out
    assert "12/12" in out
    assert "broken unreadable" in out
    assert main(["list", "--home", str(tmp_path), "--format", "json"]) == 0
    names = {row["name"]: row.get("state") for row in json.loads(capsys.readouterr().out)}
    assert names == {"begun": "stopped", "broken": None, "tiny": "finished"}


def test_nothing_is_written_and_what_is_not_there_is_said(tmp_path, capsys):
    home = StudyHome(tmp_path / "new")
    home.write_settings(study_settings(name="new"))
    assert main(["show", "new", "--home", str(tmp_path)]) == 0
    assert [path.name for path in home.root.iterdir()] == ["study.yaml"]
    assert main(["show", "old", "--home", str(tmp_path)]) == 2
    assert main(["list", "--home", str(tmp_path / "none")]) == 2
    assert "There is no study in" in capsys.readouterr().err


def test_help_names_the_actions():
    done = subprocess.run(
        [sys.executable, "-m", "study.status", "--help"], capture_output=True, text=True, check=True
    )
    for action in ("list", "show", "watch"):
        assert action in done.stdout
