"""What a study costs beside its training: our driver, and stock Ray Tune with Optuna and MLflow, in turns."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import Options, Result, Spread, ratio
from benchmarks.noop_study import Timing, noop_settings, run_ours, run_stock, virtual_cpus

EPOCHS = 9


def run(options: Options) -> Result:
    """One trial at a time; both sides keep ten metrics by report in MLflow on SQLite."""
    trials, repeats = (8, 3) if options.quick else (20, 3)
    settings = noop_settings(cells=1, trials=trials, epochs=EPOCHS)
    ours, stock = [], []
    with TemporaryDirectory() as folder, virtual_cpus(1):
        for repeat in range(repeats):
            ours.append(run_ours(settings, Path(folder) / f"ours-{repeat}"))
            stock.append(run_stock(settings, Path(folder) / f"stock-{repeat}"))
    result = Result(rows=[_row("ours", ours), _row("stock", stock)])
    report = median(seconds for timing in ours for seconds in timing.reports)
    result.goal("driver time per report ≤ 10 ms", report * 1e3, at_most=10)
    beside = [one.seconds_per_trial for one in ours]
    result.goal("seconds per trial beyond training ≤ 0.25", median(beside), at_most=0.25)
    faster = ratio([one.seconds_per_trial for one in stock], beside)
    result.goal("seconds per trial: stock / ours ≥ 5", faster.median, at_least=5)
    by_report = ratio(_medians(stock), _medians(ours))
    result.goal("driver time per report: stock / ours ≥ 5", by_report.median, at_least=5)
    result.notes.append(
        f"{repeats} studies of each kind in turns, {trials} trials of at most {EPOCHS} reports, no training; "
        "stock driver time is MLflowLoggerCallback's alone, ours is all of the report: ledger, pruner, tracking."
    )
    return result


def _medians(timings: list[Timing]) -> list[float]:
    return [median(one.reports) for one in timings]


def _row(name: str, timings: list[Timing]) -> dict[str, object]:
    reports = sorted(seconds * 1e3 for timing in timings for seconds in timing.reports)
    return {
        "study": name,
        "ms per report, median (5 % … 95 %)": f"{median(reports):.2f} ({_quantile(reports, 0.05):.2f} … "
        f"{_quantile(reports, 0.95):.2f})",
        "reports per trial": sum(len(one.reports) for one in timings) / sum(one.trials for one in timings),
        "seconds per trial": Spread.of([one.seconds_per_trial for one in timings]),
    }


def _quantile(values: list[float], share: float) -> float:
    return values[round(share * (len(values) - 1))]
