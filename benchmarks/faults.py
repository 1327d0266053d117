"""`python -m benchmarks.faults`: kill a study's driver, its workers or its tracking server, and count what is lost.

An undisturbed study comes first. Each disturbed one must end with the same trials (cell, number, parameters) and the
same metric history; every line of the table is one study.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
from rich.console import Console
from rich.table import Table

from study.config import StudySettings
from study.flags import stored_settings
from study.home import StudyHome
from study.tracking import KEY_TAG

ROOT = Path(__file__).parents[1]
SETTINGS = """
datasets:
  scenes: {root: "drawn:scenes"}
architectures: [unet, cgan]
model: {image_size: 32, width: 4, batch_size: 16, device: cpu}
budget: {trials: 3, epochs: 6}
search: {sampler: random, pruner: none}
finals: {seeds: 1}
resources: {max_concurrent_trials: 2, checkpoint_every: 2}
"""
_PATIENCE = 900.0

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
        code = self.start().wait(_PATIENCE)
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


def kill_drivers(driver: Driver, kills: int, longest: float, chance: random.Random) -> int:
    """SIGKILL the driver at random instants, resuming each time; returns how often it was met alive."""
    killed = 0
    for _ in range(kills):
        process = driver.start()
        try:
            process.wait(chance.uniform(0, longest))
            return killed  # it was faster
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    driver.finish()
    return killed


def kill_workers(driver: Driver, kills: int, longest: float, chance: random.Random) -> int:
    """SIGKILL random worker processes of a driver that goes on."""
    process = driver.start()
    killed = 0
    while killed < kills and process.poll() is None:
        time.sleep(chance.uniform(0, longest / kills / 4))
        workers = _processes(process.pid, "ray::ColorizationTrial")
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            killed += 1
    if process.wait(_PATIENCE):
        raise RuntimeError(f"{driver.name} did not survive; see {driver.home / driver.name}.log")
    return killed


def _processes(session: int, title: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode(errors="replace")
            own = int((path / "stat").read_text().rpartition(")")[2].split()[3])
        except OSError:  # it has ended meanwhile
            continue
        if own == session and words.startswith(title):
            found.append(int(path.name))
    return found


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


def take_tracking_away(driver: Driver, server: TrackingServer, seconds: float) -> None:
    """Kill the tracking server in mid-study, and start it again after `seconds`."""
    process = driver.start()
    journal = driver.study.outbox / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and b"train_seconds" in journal.read_bytes()):
        time.sleep(0.1)
    server.kill()
    time.sleep(seconds)
    server.start()
    if process.wait(_PATIENCE):
        raise RuntimeError(f"{driver.name} did not survive; see {driver.home / driver.name}.log")


def measure(home: Path, options: argparse.Namespace, console: Console) -> bool:
    """Run every scenario, print the table; returns whether every study came out whole."""
    chance = random.Random(options.seed)
    (home / "faults.yaml").write_text(SETTINGS)
    reference = Driver(home, "undisturbed")
    started = time.monotonic()
    reference.finish()
    longest = time.monotonic() - started
    expected = reference.outcome()
    console.print(
        f"Undisturbed: {len(expected.trials)} trials in {longest:.0f} s, {len(expected.history)} metric histories."
    )
    table = Table(
        "study", "kills", "trials", "left running", "duplicate points", "history", "trained twice", "whole"
    )
    whole = True

    def judge(driver: Driver, what: str, kills: int) -> None:
        nonlocal whole
        outcome = driver.outcome()
        limit = kills * driver.settings.resources.checkpoint_every
        good = (
            outcome.trials == expected.trials
            and not outcome.duplicates
            and outcome.history == expected.history
            and max(outcome.retrained.values(), default=0) <= limit
        )
        whole &= good
        table.add_row(
            what, str(kills), "same" if outcome.trials == expected.trials else "differ", str(outcome.running),
            str(outcome.duplicates), "same" if outcome.history == expected.history else "differs",
            f"{sum(outcome.retrained.values())} epochs, "
            f"at most {max(outcome.retrained.values(), default=0)} of a trial",
            "yes" if good else "NO",
        )  # fmt: skip

    def scenario(what: str, kills: int, disturb: Callable[..., int]) -> None:
        done = number = 0
        while done < kills:
            number += 1
            driver = Driver(home, f"{what}-{number}")
            met = disturb(driver, min(kills - done, options.kills_per_study), longest, chance)
            judge(driver, driver.name, met)
            done += met

    scenario("driver", options.driver_kills, kill_drivers)
    scenario("worker", options.worker_kills, kill_workers)
    if options.outage:
        with tracking_server(home / "server") as server:
            driver = Driver(home, "outage", ["--tracking.uri", server.uri])
            take_tracking_away(driver, server, options.outage)
            judge(driver, f"MLflow away for {options.outage:g} s", 1)
    console.print(table)
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns 0 if nothing was lost and nothing came twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--driver-kills", type=int, default=20, help="SIGKILLs of the driver (default: 20)")
    parser.add_argument(
        "--worker-kills", type=int, default=10, help="SIGKILLs of a trial's process (default: 10)"
    )
    parser.add_argument(
        "--kills-per-study", type=int, default=4, help="before a study is left to end (default: 4)"
    )
    parser.add_argument(
        "--outage", type=float, default=60.0, help="seconds without MLflow (default: 60; 0: skip)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random instants (default: 0)")
    parser.add_argument(
        "--home", type=Path, help="where studies are kept (default: a folder that is removed)"
    )
    options = parser.parse_args(arguments)
    console: Any = Console(width=160)
    if options.home:
        options.home.mkdir(parents=True, exist_ok=True)
        return 0 if measure(options.home.absolute(), options, console) else 1
    with TemporaryDirectory() as folder:
        return 0 if measure(Path(folder), options, console) else 1


if __name__ == "__main__":
    sys.exit(main())
