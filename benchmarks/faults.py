"""`python -m benchmarks.faults`: kill a study's driver, its workers or its tracking server, and count what is lost.

An undisturbed study comes first. Each disturbed one must end with the same trials (cell, number, parameters) and the
same metric history; every line of the table is one study.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.killable_study import PATIENCE, Driver, TrackingServer, tracking_server

SETTINGS = """
datasets:
  scenes: {root: "drawn:scenes"}
architectures: [unet, cgan]
model: {image_size: 32, width: 4, batch_size: 16, device: cpu}
budget: {trials: 3, epochs: 6}
search: {sampler: random, pruner: none}
finals: {seeds: 1}
replicates: 1
controls: false
resources: {max_concurrent_trials: 2, checkpoint_every: 2}
"""


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
    if process.wait(PATIENCE):
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


def take_tracking_away(driver: Driver, server: TrackingServer, seconds: float) -> None:
    """Kill the tracking server in mid-study, and start it again after `seconds`."""
    process = driver.start()
    journal = driver.study.outbox / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and b"train_seconds" in journal.read_bytes()):
        time.sleep(0.1)
    server.kill()
    time.sleep(seconds)
    server.start()
    if process.wait(PATIENCE):
        raise RuntimeError(f"{driver.name} did not survive; see {driver.home / driver.name}.log")


class Judge:
    """Compares studies with an undisturbed one, and keeps a row of each.

    Args:
        undisturbed: The study that nothing happened to.
        table: Where rows go.
        console: Where each verdict is shown at once.
    """

    def __init__(self, undisturbed: Driver, table: Table, console: Console) -> None:
        started = time.monotonic()
        undisturbed.finish()
        self.seconds = time.monotonic() - started
        self._expected = undisturbed.outcome()
        self._table, self._console = table, console
        self.whole = True
        console.print(
            f"{undisturbed.name}: {len(self._expected.trials)} trials in {self.seconds:.0f} s, "
            f"{len(self._expected.history)} metric histories."
        )

    def __call__(self, driver: Driver, kills: int) -> None:
        """Judge a study that ended after so many kills."""
        outcome, expected = driver.outcome(), self._expected
        most = max(outcome.retrained.values(), default=0)
        whole = (
            outcome.trials == expected.trials
            and not outcome.duplicates
            and outcome.history == expected.history
            and most <= kills * driver.settings.resources.checkpoint_every
        )
        self.whole &= whole
        self._table.add_row(
            driver.name, str(kills), "same" if outcome.trials == expected.trials else "differ", str(outcome.running),
            str(outcome.duplicates), "same" if outcome.history == expected.history else "differs",
            f"{sum(outcome.retrained.values())} epochs, at most {most} of a trial", "yes" if whole else "NO",
        )  # fmt: skip
        self._console.print(f"{driver.name}: kills {kills}, {'whole' if whole else 'NOT WHOLE'}.")


def measure(home: Path, options: argparse.Namespace, console: Console) -> bool:
    """Run every scenario, print the table; returns whether every study came out whole."""
    chance = random.Random(options.seed)
    (home / "faults.yaml").write_text(SETTINGS)
    table = Table(
        "study", "kills", "trials", "left running", "duplicate points", "history", "trained twice", "whole"
    )
    judges = []
    if options.driver_kills or options.worker_kills:
        judge = Judge(Driver(home, "undisturbed"), table, console)
        judges.append(judge)
        for what, kills, disturb in (
            ("driver", options.driver_kills, kill_drivers),
            ("worker", options.worker_kills, kill_workers),
        ):
            done = number = 0
            while done < kills:
                number += 1
                driver = Driver(home, f"{what}-{number}")
                most = min(kills - done, options.kills_per_study)
                met = disturb(driver, most, judge.seconds, chance)
                judge(driver, met)
                done += met
    if options.outage:
        # Longer than the outage, so that the server comes back in mid-study.
        epochs = ["--budget.epochs", str(round(2 * options.outage))]
        judge = Judge(Driver(home, "undisturbed-long", epochs), table, console)
        judges.append(judge)
        with tracking_server(home / "server") as server:
            driver = Driver(home, f"mlflow-away-{options.outage:g}s", [*epochs, "--tracking.uri", server.uri])
            take_tracking_away(driver, server, options.outage)
            judge(driver, 1)
    console.print(table)
    return all(judge.whole for judge in judges)


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
