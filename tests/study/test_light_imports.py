"""What a command needs is loaded when its command line has been read: `--help` and refusals are quick."""

import json
import subprocess
import sys

import pytest

from study.comparison.formats import render
from study.comparison.summary import summarise_study
from study.tracking.record import StudyRecord
from tests.conftest import ROOT

HEAVY = {"torch", "optuna", "ray", "mlflow", "scipy", "pandas", "sqlalchemy", "matplotlib"}
COMMANDS = [
    *("launch", "export", "report", "colorize", "sync", "export_onnx", "weights"),
    *("clean", "serve", "publish", "status", "compare", "schema"),
]


def heavy_after(program: str) -> set[str]:
    """Which of `HEAVY` a fresh Python has loaded when the program has run."""
    lines = f"import json, sys\n{program}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def heavy_in_command(command: str, option: str, code: int) -> set[str]:
    """The same for `python -m study.COMMAND OPTION`, which ends with an exit code."""
    return heavy_after(
        f"import runpy\nsys.argv = [{command!r}, {option!r}]\n"
        f"try: runpy.run_module('study.{command}', run_name='__main__')\n"
        f"except SystemExit as end: assert end.code == {code}"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command):
    assert heavy_in_command(command, "--help", 0) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_refused_option_loads_nothing_heavy(command):
    assert heavy_in_command(command, "--nonsense", 2) == set()


def test_the_list_of_commands_loads_nothing_heavy():
    assert heavy_after("from study.__main__ import main\nassert main(['--completion', 'bash']) == 0") == set()


def test_the_study_package_and_the_tables_load_nothing_heavy():
    assert (
        heavy_after("import study, study.export, study.comparison.csv_table, data_utils, models.metrics")
        == set()
    )


def test_a_table_is_read_and_printed_without_torch(whole: StudyRecord, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(render(whole.trivial, summarise_study(whole), "csv"), encoding="utf-8")
    program = f"from study.export import main\nassert main(['--from-csv', {str(table)!r}]) == 0"
    assert heavy_after(program) <= {"scipy"}
