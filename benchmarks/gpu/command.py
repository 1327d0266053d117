"""`python -m benchmarks gpu`: one table on the console and one JSON file, which grows with every line."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.gpu.cases import cases
from benchmarks.gpu.day import CUT, FAILED, MEASURED, PASSED, SKIPPED, Line, go_through
from benchmarks.measure import Options, Result, Spread, commit, document, hardware, versions, write

OUTCOMES = (PASSED, MEASURED, FAILED, SKIPPED, CUT)
GOALS = {"speed / plain": 4.0, "of measured bf16 peak": 0.35}
JUDGED = ("throughput", "unet, 128 px")


def run(options: Options, budget: float, folder: Path) -> int:
    """Run the cases that fit into the budget, and say of each what became of it.

    Args:
        options: Where, and whether at tiny sizes.
        budget: Seconds for all.
        folder: Of the JSON file.

    Returns:
        0 if nothing failed, 1 if something did, 2 if there is no such device here.
    """
    if options.device.type == "cuda" and not torch.cuda.is_available():
        print(_no_device(), file=sys.stderr)
        return 2
    started = time.perf_counter()
    print(_heading(options), flush=True)
    listed = cases(options)
    widths = [max(map(len, column)) for column in zip(*((one.part, one.name) for one in listed), strict=True)]
    lines: list[Line] = []
    target = folder
    for line in go_through(listed, budget, options.device, started):
        lines.append(line)
        print(_text(line, widths), flush=True)
        seconds = time.perf_counter() - started
        target = write(document("gpu", options, _result(lines, budget), seconds), options, folder)
    outcomes = Counter(line.outcome for line in lines)
    counted = ", ".join(f"{outcomes[one]} {one}" for one in OUTCOMES)
    print(f"{counted}; {time.perf_counter() - started:.0f} s; written: {target}")
    return 1 if outcomes[FAILED] else 0


def _no_device() -> str:
    reason = "" if torch.version.cuda else f", since this torch ({torch.__version__}) was built without CUDA"
    return (
        f"There is no CUDA device that torch can use on this machine{reason}; "
        "`python -m benchmarks gpu --device cpu --quick` tries everything at tiny sizes."
    )


def _heading(options: Options) -> str:
    machine = hardware(options.device)
    name = machine["device"] if options.device.type == "cuda" else machine["processor"]
    driver = f", driver {machine['driver'] or 'unknown'}" if "driver" in machine else ""
    return f"{name}{driver}, torch {versions()['torch']}, commit {commit()}"


def _text(line: Line, widths: Sequence[int]) -> str:
    part, case = (text.ljust(width) for text, width in zip((line.part, line.case), widths, strict=True))
    return f"  {part}  {case}  {line.outcome:8}  {line.seconds:5.1f} s  {line.said}".rstrip()


def _result(lines: Sequence[Line], budget: float) -> Result:
    result = Result(rows=[line.row() for line in lines])
    for line in lines:
        if (line.part, line.case, line.outcome) == (*JUDGED, MEASURED):
            for figure, least in GOALS.items():
                value = line.figures[figure]
                typical = value.median if isinstance(value, Spread) else float(value)
                result.goal(f"{JUDGED[1]}: {figure} ≥ {least:g}", typical, at_least=least)
    result.notes.append(
        f"Budget {budget:g} s. Checks compare with a CPU in float32; a step in float32 does without TF32. The plain "
        "loop uses torch's defaults, TF32 in convolutions, and reads its loss in every step. Medians (lowest … "
        "highest) of 5 measurements in turns. A case that was skipped or cut has not passed."
    )
    return result
