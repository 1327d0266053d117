"""`python -m benchmarks` as a user sees it."""

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import BENCHMARKS, DEVICE_BENCHMARKS, main
from benchmarks.measure import Result, Spread, ratio


def test_without_a_name_it_lists_all(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in BENCHMARKS)


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["speed"])
    assert stop.value.code == 2
    assert "there is no benchmark speed" in capsys.readouterr().err


def test_a_run_prints_a_table_and_writes_json(tmp_path, capsys):
    assert main(["packing", "--quick", "--results", str(tmp_path)]) == 0
    assert "not measured" in capsys.readouterr().out
    (written,) = tmp_path.glob("packing-*.json")
    found = json.loads(written.read_text())
    assert {"hardware", "versions", "commit", "rows", "goals"} <= set(found)


def test_device_benchmarks_import_neither_ray_nor_optuna_nor_mlflow():
    names = ", ".join(f"benchmarks.{name}" for name in DEVICE_BENCHMARKS)
    heavy = "{'ray', 'optuna', 'mlflow', 'rich', 'pydantic'}"
    program = f"import sys, benchmarks.__main__, {names}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_ratios_are_taken_between_neighbours():
    assert ratio([1.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == Spread(2.0, 1.0, 3.0)


def test_a_goal_is_missed_beyond_its_bound():
    result = Result()
    result.goal("small", 2.0, at_most=1.0)
    result.goal("large", 2.0, at_least=1.0)
    assert [goal.reached for goal in result.goals] == [False, True]
