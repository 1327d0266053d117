"""Ten thousand trials, on a virtual clock and on Ray: memory and time per decision, first thousand against last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

from optuna.samplers import BaseSampler

from benchmarks.measure import Options, Result
from benchmarks.noop_study import (
    NoopTrial,
    Timing,
    conductor_on_disk,
    noop_settings,
    ten_metrics,
    timed_reports,
    virtual_cpus,
)
from study.backend.ray_adapters import LedgerScheduler
from study.backend.ray_tuner import run_trials
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

EPOCHS, CONCURRENT, CPUS = 9, 64, 4
ARCHITECTURE = "cgan"  # from scratch it has four hyperparameters, the others one


def run(options: Options) -> Result:
    """One cell, with its ledger in an SQLite file and an outbox that nothing is delivered from."""
    trials = 300 if options.quick else 10_000
    plain = noop_settings(1, trials, EPOCHS)
    settings = plain.model_copy(update={"architectures": [ARCHITECTURE]})
    result = Result()
    # Ray first: a driver that has had other studies has memory to spare.
    for where, search in (("on Ray", _on_ray), ("on a virtual clock", _simulated)):
        with TemporaryDirectory() as folder:
            _measure(result, where, search, settings, StudyHome(Path(folder)))
    result.notes.append(
        f"{trials} trials of one cell ({ARCHITECTURE}, {settings.search.sampler}, {settings.search.pruner}), {EPOCHS} "
        f"reports of ten metrics a trial that is not pruned; {CONCURRENT} trials at a time on the virtual clock, "
        f"{CPUS} on Ray. First and last: tenths of the trials; of asks the medians, of reports the means, of memory "
        "the most. A report is written to ledger and outbox. Reopening: both are read, until a trial could be handed "
        "out."
    )
    return result


def _measure(
    result: Result,
    where: str,
    search: Callable[[StudySettings, StudyHome, Conductor], None],
    settings: StudySettings,
    home: StudyHome,
) -> None:
    timing = Timing()
    within: list[float] = []
    reports: list[float] = []
    started = time.perf_counter()
    with (
        timed_reports(timing),
        _timed_samplers(within),
        _timed_decisions(reports),
        _tracked(settings, home) as run,
    ):
        search(settings, home, run)
    took = time.perf_counter() - started
    stored = sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file())
    reopened = _seconds_to_reopen(settings, home)
    own = [ask - sampler for ask, sampler in zip(timing.asks, within, strict=True)]
    for what, values, middle in (
        ("CPU ms per ask, without the sampler", [one * 1e3 for one in own], median),
        ("CPU ms per ask, within the sampler", [one * 1e3 for one in within], median),
        ("CPU ms per report, the pruner's decision included", [one * 1e3 for one in reports], mean),
        ("MiB", timing.memory, max),
        ("ms from the end of a trial to that of the next", _gaps(timing.ends), mean),
    ):
        _compare(result, where, what, values, middle)
    result.goal(f"{where}: seconds to reopen ≤ 5", reopened, at_most=5)
    result.notes.append(
        f"{where[0].upper()}{where[1:]}, in all {took:.0f} s; ledger and outbox take {stored / 2**20:.0f} MiB."
    )


def _gaps(ends: Sequence[float]) -> list[float]:
    return [(later - earlier) * 1e3 for earlier, later in pairwise(ends)]


@contextmanager
def _tracked(settings: StudySettings, home: StudyHome) -> Iterator[Conductor]:
    outbox = Outbox(home.outbox)
    tracker = Tracker(outbox)
    conductor = conductor_on_disk(settings, home, [tracker])
    for cell in cells_of(settings):
        tracker.open_cell(cell)
    yield conductor
    outbox.close()


def _simulated(_: StudySettings, __: StudyHome, conductor: Conductor) -> None:
    Simulation(conductor, ten_metrics, CONCURRENT).run()


def _on_ray(settings: StudySettings, home: StudyHome, conductor: Conductor) -> None:
    with virtual_cpus(CPUS):
        run_trials(NoopTrial, settings, home, conductor, print)


def _compare(
    result: Result,
    where: str,
    what: str,
    values: Sequence[float],
    middle: Callable[[Sequence[float]], float],
) -> None:
    tenth = max(1, len(values) // 10)
    first, last = middle(values[:tenth]), middle(values[-tenth:])
    result.rows.append(
        {
            "search": where,
            "of the driver": what,
            "first tenth": round(first, 2),
            "last tenth": round(last, 2),
            "last / first": round(last / first, 2),
        }
    )
    result.goal(f"{where}, {what}: last / first ≤ 1.5", last / first, at_most=1.5)


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

    def infer_relative_search_space(self, *arguments: Any) -> Any:  # type: ignore[override]
        return self._take(self._sampler.infer_relative_search_space, *arguments)

    def sample_relative(self, *arguments: Any) -> Any:  # type: ignore[override]
        return self._take(self._sampler.sample_relative, *arguments)

    def sample_independent(self, *arguments: Any) -> Any:  # type: ignore[override]
        return self._take(self._sampler.sample_independent, *arguments)
