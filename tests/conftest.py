"""One tiny real study, run once for all tests that only look at its results."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from study.settings.schema import StudySettings
from study.settings.sources import load_settings
from study.settings.study_folder import StudyHome
from study.tracking.record import StudyRecord
from tests.support.servers import s3_server  # noqa: F401  one for all: s3fs keeps the first one's address
from tests.support.warm_python import run_warm

ROOT = Path(__file__).parents[1]
TINY = """
name: tiny
seed: 0
datasets:
  fruit: {root: "drawn:fruit"}
model: {image_size: 32, width: 4, batch_size: 16, vgg16: random, device: cpu}
budget: {trials: 4, epochs: 3}
search: {startup_trials: 1, warmup_epochs: 1}
finals: {seeds: 2}
replicates: 1
controls: false
resources: {max_concurrent_trials: 2}
"""


def pytest_configure() -> None:
    """One thread in each process: OpenMP's threads wait for one another, which takes long where cores are shared."""
    os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(frozen=True)
class FinishedStudy:
    """A study that `python -m study.launch` ran to its end."""

    home: Path
    name: str
    output: str

    @property
    def settings(self) -> StudySettings:
        return load_settings(self.study_home.settings_file, {})

    @property
    def study_home(self) -> StudyHome:
        return StudyHome(self.home / self.name)

    def record(self) -> StudyRecord:
        return StudyRecord(self.study_home.tracking_uri(self.settings), self.name)


def run_module(module: str, *arguments: str | Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` as a user would."""
    environment = {**os.environ, "COLUMNS": "200"}
    return run_warm(module, [*map(str, arguments)], ROOT, environment, timeout)


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> FinishedStudy:
    """Three cells on drawn fruit, four trials each, two finals each; run once, and a copy for each test process."""
    own = tmp_path_factory.mktemp("tiny")
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    folder = (tmp_path_factory.getbasetemp().parent if parallel else own) / "run-once"
    with FileLock(f"{folder}.lock"):
        output = folder / "output.txt"
        if not output.is_file():
            folder.mkdir(exist_ok=True)
            file = folder / "tiny.yaml"
            file.write_text(TINY)
            done = run_module("study.launch", file, "--home", folder / "runs")
            assert done.returncode == 0, done.stdout + done.stderr
            output.write_text(done.stdout)
    shutil.copytree(folder / "runs", own / "runs")
    return FinishedStudy(own / "runs", "tiny", output.read_text().replace(str(folder), str(own)))
