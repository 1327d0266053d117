"""A thousand trials, 64 at the same time: the driver on a virtual clock, and a smaller study on Ray."""

from __future__ import annotations

import logging
import resource
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import ray

from benchmarks.measure import Options, Result
from benchmarks.noop_study import (
    Timing,
    conductor_on_disk,
    noop_settings,
    run_ours,
    ten_metrics,
    timed_reports,
    tracked,
)
from study.home import StudyHome
from study.simulation import Simulation

CELLS, EPOCHS, CONCURRENT = 4, 9, 64


def run(options: Options) -> Result:
    """The ledger is an SQLite file; once with and once without tracking to MLflow on SQLite."""
    trials = 100 if options.quick else 1000
    result = Result()
    with TemporaryDirectory() as folder:
        plain = _simulated(trials, Path(folder) / "plain", with_mlflow=False)
        full = _simulated(trials, Path(folder) / "tracked", with_mlflow=True)
        result.rows = [plain, full, _on_ray(options, Path(folder) / "ray")]
    result.goal("results/s with tracking ≥ 100", float(str(full["results/s"])), at_least=100)
    result.goal("time per ask, end / beginning ≤ 1.5", float(str(full["ask: end / beginning"])), at_most=1.5)
    result.notes.append(
        f"{CELLS} cells, {EPOCHS} reports of ten metrics a trial that is not pruned, {CONCURRENT} trials at the same "
        "time (on Ray: as many virtual CPUs as the row says). Time per ask: median of the first and of the last "
        "fifth of those that the sampler, not chance, proposed. Results/s until the driver is done; what MLflow "
        "still had to be told is in the last column. Results/CPU s: by CPU time of the driver's thread, which a busy "
        "machine does not stretch."
    )
    return result


def _simulated(trials: int, folder: Path, *, with_mlflow: bool) -> dict[str, object]:
    settings = noop_settings(CELLS, trials // CELLS, EPOCHS)
    home, timing = StudyHome(folder), Timing()
    before = _memory()
    if with_mlflow:
        with timed_reports(timing), tracked(settings, home) as tracker:
            Simulation(conductor_on_disk(settings, home, [tracker]), ten_metrics, CONCURRENT).run()
            done = time.perf_counter()
        late = time.perf_counter() - done
    else:
        with timed_reports(timing):
            Simulation(conductor_on_disk(settings, home, []), ten_metrics, CONCURRENT).run()
        late = 0.0
    return _row(
        "simulated, " + ("tracked" if with_mlflow else "not tracked"), timing, _memory() - before, late
    )


def _on_ray(options: Options, folder: Path) -> dict[str, object]:
    cpus, trials = (2, 12) if options.quick else (8, 64)
    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    before = _memory()
    try:
        timing = run_ours(noop_settings(CELLS, trials // CELLS, EPOCHS), folder)
    finally:
        ray.shutdown()
    return _row(f"Ray, {cpus} virtual CPUs, tracked", timing, _memory() - before, 0.0)


def _row(name: str, timing: Timing, memory: float, late: float) -> dict[str, object]:
    proposed = timing.asks[len(timing.asks) // 10 :]
    fifth = max(1, len(proposed) // 5)
    return {
        "study": name,
        "trials": timing.trials,
        "results/s": round(timing.reports_per_second, 1),
        "results/CPU s": round(timing.reports_per_cpu_second, 1),
        "ms per report": round(median(timing.reports) * 1e3, 2),
        "CPU ms per ask": round(median(timing.asks) * 1e3, 1),
        "ask: end / beginning": round(median(proposed[-fifth:]) / median(proposed[:fifth]), 2),
        "driver MiB more": round(memory),
        "s until MLflow has all": round(late, 1),
    }


def _memory() -> float:
    """Highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
