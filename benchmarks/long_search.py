"""Searches of ten thousand trials on a virtual clock: memory and time per decision, first thousand against last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

from optuna.samplers import BaseSampler

from benchmarks.measure import Options, Result
from benchmarks.noop_study import Timing, conductor_on_disk, noop_settings, ten_metrics, timed_reports
from study.backend.ray_adapters import LedgerScheduler
from study.backend.simulator import Simulation
from study.driver.starts.lost_events import lost_trials
from study.search import cell_ledger
from study.search.cells import cells_of
from study.search.conductor import Conductor
from study.search.database import open_storage
from study.search.ledger import StudyLedger
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.tracking.outbox import Outbox
from study.tracking.tracker import Tracker

EPOCHS, CONCURRENT = 9, 64
SEARCHES = {"U-Net, tpe": ("unet", "tpe"), "cGAN, tpe": ("cgan", "tpe")}


def run(options: Options) -> Result:
    """Each search is one cell, with its ledger in an SQLite file and its outbox, which nothing is delivered from."""
    trials = 300 if options.quick else 10_000
    result = Result()
    for name, (architecture, sampler) in SEARCHES.items():
        with TemporaryDirectory() as folder:
            result.rows.append(_row(name, _settings(architecture, sampler, trials), StudyHome(Path(folder))))
    for row in result.rows:
        for what in ("ms per ask, own", "ms per ask, sampler", "ms per report"):
            first, last = (float(str(row[f"{what}: {when}"])) for when in ("first", "last"))
            result.goal(f"{row['search']}: {what}, last / first ≤ 2", last / first, at_most=2)
    result.notes.append(
        f"{trials} trials of one cell, {EPOCHS} reports of ten metrics a trial that is not pruned (halving), "
        f"{CONCURRENT} trials at a time. First and last: tenths of the trials. CPU time of the driver's thread: of "
        "asks the medians, without the time within the sampler, and within it; of reports the means, with the pruner's "
        "decisions and all that is written to ledger and outbox. Reopening: wall time to read ledger and outbox until "
        "a trial could be handed out."
    )
    return result


def _settings(architecture: str, sampler: str, trials: int) -> StudySettings:
    plain = noop_settings(1, trials, EPOCHS)
    search = plain.search.model_copy(update={"sampler": sampler})
    return plain.model_copy(update={"architectures": [architecture], "search": search})


def _row(name: str, settings: StudySettings, home: StudyHome) -> dict[str, object]:
    timing, within, reports = Timing(), [], []
    started = time.perf_counter()
    with timed_reports(timing), _timed_samplers(within), _timed_decisions(reports):
        outbox = Outbox(home.outbox)
        tracker = Tracker(outbox)
        conductor = conductor_on_disk(settings, home, [tracker])
        for cell in cells_of(settings):
            tracker.open_cell(cell)
        Simulation(conductor, ten_metrics, CONCURRENT).run()
        outbox.close()
    took = time.perf_counter() - started
    own = [ask - sampler for ask, sampler in zip(timing.asks, within, strict=True)]
    tenth = timing.trials // 10
    return {
        "search": name,
        "trials": timing.trials,
        **_first_and_last("ms per ask, own", own, median),
        **_first_and_last("ms per ask, sampler", within, median),
        **_first_and_last("ms per report", reports, mean),
        "driver MiB after the first tenth": round(timing.memory[tenth]),
        "at the end": round(timing.memory[-1]),
        "MiB on disk": round(
            sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file()) / 2**20
        ),
        "s in all": round(took),
        "s to reopen": round(_seconds_to_reopen(settings, home), 2),
    }


def _first_and_last(
    what: str, values: Sequence[float], middle: Callable[[Sequence[float]], float]
) -> Mapping[str, float]:
    tenth = max(1, len(values) // 10)
    return {
        f"{what}: first": round(middle(values[:tenth]) * 1e3, 3),
        f"{what}: last": round(middle(values[-tenth:]) * 1e3, 3),
    }


def _seconds_to_reopen(settings: StudySettings, home: StudyHome) -> float:
    started = time.perf_counter()
    ledger = StudyLedger(open_storage(home.ledger_url(settings)), settings)
    Conductor(settings, ledger)
    outbox = Outbox(home.outbox)
    if lost_trials(ledger, outbox.closed):
        raise RuntimeError("the outbox lacks trials that the ledger has")
    outbox.close()
    return time.perf_counter() - started


@contextmanager
def _timed_decisions(spent: list[float]) -> Iterator[None]:
    """Note the CPU time of every `LedgerScheduler.on_trial_result`."""
    before = LedgerScheduler.on_trial_result

    def timed(self: LedgerScheduler, *arguments: Any) -> str:
        started = time.thread_time()
        decision = before(self, *arguments)
        spent.append(time.thread_time() - started)
        return decision

    LedgerScheduler.on_trial_result = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        LedgerScheduler.on_trial_result = before  # type: ignore[method-assign]


@contextmanager
def _timed_samplers(spent: list[float]) -> Iterator[None]:
    """Note the CPU time of each trial's sampler."""
    before = cell_ledger.make_sampler

    def timed(*arguments: Any) -> BaseSampler:
        spent.append(0.0)
        return _Timed(before(*arguments), spent)

    cell_ledger.make_sampler = timed
    try:
        yield
    finally:
        cell_ledger.make_sampler = before


class _Timed(BaseSampler):
    """A sampler whose time is added to the last of `spent`."""

    def __init__(self, sampler: BaseSampler, spent: list[float]) -> None:
        self._sampler = sampler
        self._spent = spent

    def _take(self, work: Callable[..., Any], *arguments: Any) -> Any:
        started = time.thread_time()
        try:
            return work(*arguments)
        finally:
            self._spent[-1] += time.thread_time() - started

    def infer_relative_search_space(self, *arguments: Any) -> Any:
        return self._take(self._sampler.infer_relative_search_space, *arguments)

    def sample_relative(self, *arguments: Any) -> Any:
        return self._take(self._sampler.sample_relative, *arguments)

    def sample_independent(self, *arguments: Any) -> Any:
        return self._take(self._sampler.sample_independent, *arguments)
