"""`python -m benchmarks gpu`, tried on a CPU: what it says of each case, and that it finds what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from dataclasses import replace

import pytest
import torch

from benchmarks.__main__ import main
from benchmarks.gpu import checks, command
from benchmarks.gpu.cases import cases
from benchmarks.gpu.day import Case, NotHereError, WrongError
from benchmarks.measure import Options, Spread, commit
from benchmarks.packing import together

CPU = torch.device("cpu")
OPTIONS = Options(CPU, quick=True)
TAKE_LONG = ("packing", "compilation", "study")
NOT_ON_A_BARE_MACHINE = [
    *("ray", "optuna", "mlflow", "pydantic", "rich", "lazy_loader"),
    *("pynvml", "scipy", "sklearn", "pandas", "torchmetrics", "yaml"),
]


def day_of(monkeypatch, folder, *made_up, budget=100.0):
    """Run made-up cases; returns the exit code and the lines in the file."""
    monkeypatch.setattr(command, "cases", lambda options: list(made_up))
    code = command.run(OPTIONS, budget, folder)
    return code, written(folder)["rows"]


def written(folder):
    (file,) = folder.glob("gpu-*.json")
    return json.loads(file.read_text(encoding="utf-8"))


def fails(error):
    def run():
        raise error

    return run


def test_without_a_cuda_device_it_says_so_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["gpu"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("There is no CUDA device that torch can use on this machine")
    assert "\n" not in said


def test_a_tiny_day_on_a_cpu(tmp_path, monkeypatch, capsys):
    quick = [case for case in cases(OPTIONS) if case.part not in TAKE_LONG]
    monkeypatch.setattr(command, "cases", lambda options: quick)
    assert main(["gpu", "--device", "cpu", "--quick", "--results", str(tmp_path)]) == 0
    found = written(tmp_path)
    assert {"hardware", "versions", "commit", "seconds", "notes"} <= set(found)
    for case, row in zip(quick, found["rows"], strict=True):
        needs_a_gpu = case.name in ("memory fraction", "energy") or "never wait" in case.name
        done = "passed" if case.is_check else "measured"
        assert row["outcome"] == ("skipped" if needs_a_gpu else done), row
    shown = capsys.readouterr().out
    assert all(row["case"] in shown for row in found["rows"])
    assert ", 0 FAILED, 6 skipped, 0 cut" in shown


def test_what_fails_is_one_line_and_the_rest_goes_on(tmp_path, monkeypatch, capsys):
    code, rows = day_of(
        monkeypatch,
        tmp_path,
        Case("checks", "wrong", 1, fails(WrongError("losses off by 1, allowed are 0.1"))),
        Case("checks", "broken", 1, fails(ValueError("first line\nsecond line"))),
        Case("checks", "absent", 1, fails(NotHereError("needs a GPU"))),
        Case("checks", "uninstalled", 1, fails(ModuleNotFoundError("No module", name="safetensors.torch"))),
        Case("checks", "renamed", 1, fails(ModuleNotFoundError("No module models.x", name="models.x"))),
        Case("peak", "number", 1, lambda: warnings.warn("old", stacklevel=1) or {"TFLOP/s": 1.5}),
    )
    assert code == 1
    outcomes = ["FAILED", "FAILED", "skipped", "skipped", "FAILED", "measured"]
    assert [row["outcome"] for row in rows] == outcomes
    assert rows[1]["said"] == "ValueError: first line"
    assert "Traceback" in rows[1]["trace"]
    assert rows[3]["said"] == "needs safetensors.torch, which is not installed here"
    assert rows[5]["figures"] == {"TFLOP/s": 1.5}
    assert rows[5]["warnings"] == ["old"]
    assert "0 passed, 1 measured, 3 FAILED, 2 skipped, 0 cut" in capsys.readouterr().out


def test_goals_are_judged_by_the_throughput_alone(tmp_path, monkeypatch):
    found = {"speed / plain": Spread(4.5, 4.0, 5.0), "of measured bf16 peak": 0.3}
    names = [case.name for case in cases(replace(OPTIONS, quick=False)) if case.part == "throughput"]
    assert command.JUDGED[1] in names
    lines = [Case(part, command.JUDGED[1], 1, lambda: found) for part in ("throughput", "data path")]
    assert day_of(monkeypatch, tmp_path, *lines)[0] == 0
    assert [goal["reached"] for goal in written(tmp_path)["goals"]] == [True, False]


def test_what_does_not_fit_is_skipped_and_what_takes_too_long_is_cut(tmp_path, monkeypatch):
    code, rows = day_of(
        monkeypatch,
        tmp_path,
        Case("checks", "too long", 99, dict),
        Case("checks", "endless", 0.1, lambda: time.sleep(60)),
        Case("checks", "late", 0.1, dict),
        budget=0.5,
    )
    assert code == 0
    assert [row["outcome"] for row in rows] == ["skipped", "cut", "skipped"]
    assert rows[0]["said"].startswith("takes about 99 s")


def test_what_was_found_is_kept_when_the_day_is_broken_off(tmp_path, monkeypatch):
    lines = (Case("checks", "done", 1, dict), Case("checks", "broken off", 1, fails(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        day_of(monkeypatch, tmp_path, *lines)
    assert [row["outcome"] for row in written(tmp_path)["rows"]] == ["passed"]


def test_trials_at_once_answer_each_for_itself_and_none_is_waited_for_in_vain():
    speeds, memory = together(1, width=2, size=16, seconds=0.0, device=CPU)
    assert speeds[0] > 0
    assert memory == [0]
    with pytest.raises(RuntimeError, match="one of 1 trials at once failed: RuntimeError: Given input size"):
        together(1, width=2, size=1, seconds=0.0, device=CPU)  # too small for a U-Net


def test_a_step_on_other_colours_is_found(monkeypatch):
    checks._reference("unet", 4, 16)
    given = checks.batch_for
    monkeypatch.setattr(
        checks, "batch_for", lambda *where: replace(given(*where), colour=-given(*where).colour)
    )
    with pytest.raises(WrongError, match="off by"):
        checks.step("unet", "float32", 4, 16, CPU)


@pytest.mark.parametrize("off", [0.2, float("nan"), float("inf")])
def test_a_difference_beyond_its_bound_is_wrong(off):
    with pytest.raises(WrongError, match="loss off by"):
        checks.close("loss", off, 0.1)


def test_a_machine_with_torch_alone_runs_it(tmp_path):
    names = ["unet: step in float32", "batches streamed from a map", "energy"]
    program = f"""
import sys
sys.modules.update(dict.fromkeys({NOT_ON_A_BARE_MACHINE}))
from benchmarks.__main__ import main
from benchmarks.gpu import command
from benchmarks.gpu.cases import cases
command.cases = lambda options: [case for case in cases(options) if case.name in {names}]
sys.exit(main(["gpu", "--device", "cpu", "--quick", "--results", {str(tmp_path)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [row["outcome"] for row in written(tmp_path)["rows"]] == ["passed", "passed", "skipped"]
    assert "needs lazy_loader, which is not installed here" in done.stdout


def test_outside_of_git_a_result_names_its_sources(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert commit.__wrapped__().startswith("sources ")
