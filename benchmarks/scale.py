"""A thousand trials, 64 at the same time: the driver on a virtual clock; and 500 trials of six cells on Ray."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import Options, Result
from benchmarks.noop_study import (
    Timing,
    conductor_on_disk,
    noop_settings,
    run_ours,
    ten_metrics,
    timed_reports,
    tracked,
    virtual_cpus,
)
from study.backend.simulator import Simulation
from study.settings.study_folder import StudyHome

CELLS, EPOCHS, CONCURRENT = 4, 9, 64
RAY_CELLS = 6


def run(options: Options) -> Result:
    """The ledger is an SQLite file; once with and once without tracking to MLflow on SQLite."""
    trials = 100 if options.quick else 1000
    result = Result()
    # Ray first: a driver that has had other studies has memory to spare.
    with TemporaryDirectory() as folder:
        on_ray = _on_ray(options, Path(folder) / "ray")
        plain = _simulated(trials, Path(folder) / "plain", with_mlflow=False)
        full = _simulated(trials, Path(folder) / "tracked", with_mlflow=True)
        result.rows = [plain, full, on_ray]
    result.goal("results/s with tracking ≥ 100", float(str(full["results/s"])), at_least=100)
    result.goal("time per ask, end / beginning ≤ 1.5", float(str(full["ask: end / beginning"])), at_most=1.5)
    for name in ("driver memory", "time per trial"):
        measured = float(str(on_ray[f"{name}: end / beginning"]))
        result.goal(f"{name} on Ray, end / beginning ≤ 1.5", measured, at_most=1.5)
    result.notes.append(
        f"{CELLS} cells ({RAY_CELLS} on Ray), {EPOCHS} reports of ten metrics a trial that is not pruned, "
        f"{CONCURRENT} trials at the same time (on Ray: as many virtual CPUs as the row says). End / beginning: last "
        "fifth / first fifth of the trials; of the asks, those that the sampler, not chance, proposed. Results/s "
        "until the driver is done. Results/CPU s: by CPU time of the driver's thread, which a busy machine does not "
        "stretch."
    )
    return result


def _simulated(trials: int, folder: Path, *, with_mlflow: bool) -> dict[str, object]:
    settings = noop_settings(CELLS, trials // CELLS, EPOCHS)
    home, timing = StudyHome(folder), Timing()
    if with_mlflow:
        with timed_reports(timing), tracked(settings, home) as tracker:
            Simulation(conductor_on_disk(settings, home, [tracker]), ten_metrics, CONCURRENT).run()
            done = time.perf_counter()
        late = time.perf_counter() - done
    else:
        with timed_reports(timing):
            Simulation(conductor_on_disk(settings, home, []), ten_metrics, CONCURRENT).run()
        late = None
    return _row("simulated, " + ("tracked" if with_mlflow else "not tracked"), timing, late)


def _on_ray(options: Options, folder: Path) -> dict[str, object]:
    cpus, trials = (2, 12) if options.quick else (4, 504)
    # Unpruned, since a good sampler's late trials are pruned less, and would take longer for that alone.
    settings = noop_settings(RAY_CELLS, trials // RAY_CELLS, EPOCHS, pruner="none")
    with virtual_cpus(cpus):
        timing = run_ours(settings, folder)
    return _row(f"Ray, {cpus} virtual CPUs, tracked", timing, None)


def _row(name: str, timing: Timing, late: float | None) -> dict[str, object]:
    proposed = timing.asks[len(timing.asks) // 10 :]
    fifth = max(1, timing.trials // 5)
    first, last = timing.ends[fifth - 1] - timing.moments[0], timing.ends[-1] - timing.ends[-fifth - 1]
    return {
        "study": name,
        "trials": timing.trials,
        "results/s": round(timing.reports_per_second, 1),
        "results/CPU s": round(timing.reports_per_cpu_second, 1),
        "ms per report": round(median(timing.reports) * 1e3, 2),
        "CPU ms per ask": round(median(timing.asks) * 1e3, 1),
        "ask: end / beginning": _end_to_beginning(proposed),
        "driver MiB at the end": round(timing.memory[-1]),
        "driver memory: end / beginning": _end_to_beginning(timing.memory),
        "time per trial: end / beginning": round(last / first, 2),
        "s until MLflow has all": "–" if late is None else round(late, 1),
    }


def _end_to_beginning(values: list[float]) -> float:
    fifth = max(1, len(values) // 5)
    return round(median(values[-fifth:]) / median(values[:fifth]), 2)
