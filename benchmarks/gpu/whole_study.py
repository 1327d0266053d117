"""A whole study, where what it needs is installed: two trials at once, each on half a GPU."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.gpu.day import Figures, NotHereError, WrongError

NEEDS = ("ray", "optuna", "mlflow")
TRIALS = 2
SETTINGS = """
name: gpu-day
datasets: {{fruit: {{root: "drawn:fruit"}}}}
architectures: [unet]
model: {{image_size: 32, width: 8, batch_size: 16, device: {device}}}
budget: {{trials: {trials}, epochs: 4}}
replicates: 1
controls: false
finals: {{seeds: 1}}
resources: {{max_concurrent_trials: {trials}{gpus}}}
"""


def whole_study(device: torch.device) -> Figures:
    """Run a small study to its end and read its table."""
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise NotHereError(f"needs {' and '.join(missing)}, not installed here")
    gpus = f", gpus_per_trial: {1 / TRIALS:g}" if device.type == "cuda" else ""
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        file, there = Path(folder) / "study.yaml", ["--name", "gpu-day", "--home", folder]
        file.write_text(SETTINGS.format(device=device.type, trials=TRIALS, gpus=gpus), encoding="utf-8")
        _command("study.launch", str(file), *there)
        rows = json.loads(_command("study.export", *there, "--format", "json"))
    cell = next(row for row in rows if row.get("architecture") == "unet")
    if cell["failed"] or cell["trials"] != TRIALS:
        raise WrongError(f"of {cell['trials']} trials {cell['failed']} failed; {TRIALS} were to run")
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "trials": cell["trials"],
        "device-seconds": round(cell["device_seconds"], 1),
    }


def _command(module: str, *arguments: str) -> str:
    """What a command prints; it is interrupted, and ends what it started, when the time is up."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        output, errors = process.communicate()
    except BaseException:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    if process.returncode:
        last = (errors.strip() or output.strip() or "it said nothing").splitlines()[-1]
        raise WrongError(f"{module} ended with exit code {process.returncode}: {last}")
    return output
