"""`python -m benchmarks`: list the benchmarks, or run some of them."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.measure import Options, Result, document, write

# What each measures; the first group runs on a GPU machine that has nothing but torch and its companions.
DEVICE_BENCHMARKS = {
    "data_path": "an epoch fed by our batches, by a constant batch, and by a DataLoader over files",
    "vgg_cache": "Koalarization with cached VGG16 vectors, and with VGG16 in every step",
    "training_step": "our training step and the plainest correct loop; every switch alone and together",
    "compilation": "torch.compile: what it costs and gains, and after how many steps it pays",
    "packing": "several small trials on one GPU at the same time",
    "checkpoints": "training time lost to saving",
    "memory": "host memory of a trial's process over the model's own needs",
}
STUDY_BENCHMARKS = {
    "orchestration": "driver time per report, seconds per trial, beside stock Ray Tune with Optuna and MLflow",
    "many_images": "a set that no process could hold: memory of driver and trials, the map beside memory, preparation",
    "scale": "a thousand trials, 64 at the same time",
    "long_search": "searches of ten thousand trials: memory and time per decision, the sampler's apart",
    "window": "TPE shown every trial of a long search, and only the best and the latest",
    "search": "epochs to come near the best, replayed from recorded learning curves",
    "coverage": "how often the report's 95 % intervals hold the truth, simulated",
    "repeat": "a whole study repeated on recorded curves: what its intervals hold, and how to divide its budget",
    "looks": "studies that add replicates until decided: how often wrong, how often and when right",
    "spending": "alternatives to how looks spend their error and how pairs are corrected",
}
QUALITY_BENCHMARKS = {
    "peers": "our networks and recipes beside those of others, on real photographs for equal processor seconds",
}
BENCHMARKS = DEVICE_BENCHMARKS | STUDY_BENCHMARKS | QUALITY_BENCHMARKS
GPU_DAY = "gpu"
ABOUT_GPU_DAY = (
    "a CUDA card in nine minutes: is all correct there, and how fast; needs torch and its companions alone"
)
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 something failed on the GPU day, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure speed and quality, side by side; without a name, list what can be measured.",
        epilog="\n".join(
            f"{name:14} {what}" for name, what in {**BENCHMARKS, GPU_DAY: ABOUT_GPU_DAY}.items()
        ),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, `all`, or `gpu` alone")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: cpu; of `gpu` cuda")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer repeats")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument(
        "--budget", type=float, default=510.0, help="seconds that `gpu` may take (default: 510)"
    )
    parser.add_argument("--pictures", type=Path, help="folder for the contact sheets of `peers`")
    given = parser.parse_args(arguments)
    if not given.names:
        parser.print_help()
        return 0
    if given.names == [GPU_DAY]:
        from benchmarks.gpu.command import run

        return run(Options(torch.device(given.device or "cuda"), given.quick), given.budget, given.results)
    names = list(BENCHMARKS) if given.names == ["all"] else given.names
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA device on this machine")
    options = Options(torch.device(given.device or "cpu"), given.quick, given.pictures)
    for name in names:
        _run(name, options, given.results)
    return 0


def _run(name: str, options: Options, folder: Path) -> None:
    started = time.perf_counter()
    result: Result = importlib.import_module(f"benchmarks.{name}").run(options)
    found = document(name, options, result, time.perf_counter() - started)
    _show(name, result)
    print(f"written: {write(found, options, folder)}\n")


def _show(name: str, result: Result) -> None:
    print(f"\n{name}: {BENCHMARKS[name]}")
    if result.rows:
        cells = [
            [str(key) for key in result.rows[0]],
            *([_cell(v) for v in row.values()] for row in result.rows),
        ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            print(
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
    for goal in result.goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        print(f"  {verdict}: {goal.text}; measured {goal.measured}")
    for note in result.notes:
        print(f"  {note}")


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
