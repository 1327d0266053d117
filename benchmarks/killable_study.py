"""A study that can be killed and resumed, what it left behind, and a tracking server that can go away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import optuna

from study.settings.schema import StudySettings
from study.settings.sources import stored_settings
from study.settings.study_folder import StudyHome
from study.tracking.names import KEY_TAG

ROOT = Path(__file__).parents[1]
PATIENCE = 900.0

History = dict[tuple[str, str], list[tuple[int, float]]]


@dataclass
class Outcome:
    """What a study left behind.

    Attributes:
        trials: (Optuna study, number, parameters, state).
        history: Sorted (step, value) by trial and metric, without times.
        retrained: For each trial, how many epochs were trained and reported more than once.
    """

    trials: set[tuple[str, int, str, str]]
    history: History
    retrained: dict[str, int]

    @property
    def duplicates(self) -> int:
        """Metric points that are there more than once."""
        return sum(len(points) - len({step for step, _ in points}) for points in self.history.values())

    @property
    def running(self) -> int:
        """Trials that nobody ended."""
        return sum(state in ("RUNNING", "WAITING") for _, _, _, state in self.trials)


@dataclass
class Driver:
    """A study that can be started, killed and resumed."""

    home: Path
    name: str
    flags: list[str] = field(default_factory=list)

    @property
    def study(self) -> StudyHome:
        """The study's folder."""
        return StudyHome(self.home / self.name)

    @property
    def settings(self) -> StudySettings:
        """The study's settings."""
        return stored_settings(self.study.settings_file)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the driver, or go on with the study if it exists."""
        exists = self.study.settings_file.exists()
        words = ["--resume"] if exists else [str(self.home / "faults.yaml"), *self.flags]
        log = (self.home / f"{self.name}.log").open("ab")
        command = [
            sys.executable,
            "-m",
            "study.launch",
            *words,
            "--name",
            self.name,
            "--home",
            str(self.home),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )

    def finish(self) -> None:
        """Run the study to its end, undisturbed from now on.

        Raises:
            RuntimeError: If it does not end well.
        """
        code = self.start().wait(PATIENCE)
        if code:
            raise RuntimeError(f"{self.name} ended with {code}; see {self.home / self.name}.log")

    def outcome(self) -> Outcome:
        """Read ledger, MLflow and outbox."""
        return Outcome(self._trials(), self._history(), self._retrained())

    def _trials(self) -> set[tuple[str, int, str, str]]:
        url = self.study.ledger_url(self.settings)
        return {
            (
                name.removeprefix(f"{self.name}/"),
                trial.number,
                json.dumps(trial.params, sort_keys=True),
                trial.state.name,
            )
            for name in optuna.study.get_all_study_names(url)
            for trial in optuna.load_study(study_name=name, storage=url).get_trials()
        }

    def _history(self) -> History:
        from mlflow import MlflowClient

        client = MlflowClient(self.study.tracking_uri(self.settings))
        experiment = client.get_experiment_by_name(self.name)
        return {
            (run.data.tags[KEY_TAG], metric): sorted(
                (point.step, point.value) for point in client.get_metric_history(run.info.run_id, metric)
            )
            for run in client.search_runs([experiment.experiment_id], max_results=1000)
            if run.data.tags["role"] in ("trial", "final")  # a cell's curve depends on which trial ends first
            for metric in run.data.metrics
            if not metric.startswith(("time/", "cost/device_seconds"))
        }

    def _retrained(self) -> dict[str, int]:
        """An epoch that was trained again took another time; one that was only told again did not."""
        times: dict[tuple[str, int], set[float]] = {}
        for line in (self.study.outbox / "journal.jsonl").read_text().splitlines():
            event = json.loads(line)
            if event["do"] == "metrics" and "time/train_seconds" in event["values"]:
                times.setdefault((event["run"], event["step"]), set()).add(
                    event["values"]["time/train_seconds"]
                )
        retrained: dict[str, int] = {}
        for (run, _), seconds in times.items():
            retrained[run] = retrained.get(run, 0) + len(seconds) - 1
        return retrained


@dataclass
class TrackingServer:
    """`mlflow server` on loopback, with its database in a folder; can be killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination", str(self.folder),
        ]  # fmt: skip
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.5)
        raise RuntimeError(f"mlflow server does not start; see {self.folder}/server.log")

    def kill(self) -> None:
        """SIGKILL the server and its workers."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def tracking_server(folder: Path) -> Iterator[TrackingServer]:
    """A server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = TrackingServer(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
