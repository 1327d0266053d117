"""Processes that have loaded torch, Ray and MLflow before they are started: seconds less for each of many commands."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory

_LOADED = [
    "ray.tune",
    "mlflow.pyfunc",
    "models.metrics.image",
    "study.backend.ray_tuner",
    "study.deployment.publish",
    "study.driver.pipeline",
    "study.reporting.page",
]


def run_warm(
    module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` gives for `python -m MODULE ARGUMENTS`, by the fork of a process that has loaded much."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    forkserver.ensure_running()
    with TemporaryDirectory() as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        process = context.Process(target=_run, args=(module, arguments, folder, dict(environment), out, err))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired([module, *arguments], timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(
            [sys.executable, "-m", module, *arguments], process.exitcode, out.read_text(), err.read_text()
        )


def _run(
    module: str, arguments: Sequence[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = os.fspath(folder)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        with suppress(Exception):
            atexit._run_exitfuncs()  # multiprocessing ends without
