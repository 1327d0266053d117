"""Studies whose trials train nothing: ours and stock Ray Tune's, to measure what is left."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray import tune

from models.metrics import OBJECTIVE
from study.backend.learning_curves import analytic_curve
from study.backend.ray_adapters import REPORTS, TEST, LedgerScheduler, spec_of
from study.backend.ray_tuner import run_trials
from study.search.cells import Stage, cells_of
from study.search.conductor import Conductor
from study.search.database import open_storage
from study.search.ledger import StudyLedger
from study.search.trial_spec import Listener, TrialSpec
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.storage import Storage
from study.tracking.delivery import DeliveryThread
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.outbox import Outbox
from study.tracking.tracker import Tracker

METRICS = 10
_PATIENCE_SECONDS = 3600.0


@dataclass
class Timing:
    """What a run of a study took.

    Attributes:
        reports: Driver seconds of each report.
        moments: Wall time at which each report was done.
        ends: Wall time at which each trial ended.
        memory: Resident MiB of the driver at those times.
        asks: The driver's own CPU seconds for each new trial's choice.
        cpu: CPU seconds that the driver's thread had used after each report.
    """

    reports: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    asks: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def trials(self) -> int:
        """How many trials ended."""
        return len(self.ends)

    def trial_ended(self) -> None:
        """Note when, and how large the driver is now."""
        self.ends.append(time.perf_counter())
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

    @property
    def seconds_per_trial(self) -> float:
        """Wall time from the first report to the last, by trial."""
        return (self.moments[-1] - self.moments[0]) / self.trials

    @property
    def reports_per_second(self) -> float:
        """Reports between the first and the last, by wall time."""
        return (len(self.moments) - 1) / (self.moments[-1] - self.moments[0])

    @property
    def reports_per_cpu_second(self) -> float:
        """The same by CPU time of the driver's thread: what a machine that does nothing else would reach."""
        return (len(self.cpu) - 1) / (self.cpu[-1] - self.cpu[0])


def ten_metrics(spec: TrialSpec, epoch: int) -> dict[str, float]:
    """An epoch's report with ten metrics."""
    more = {f"metric_{index}": float(epoch * index) for index in range(METRICS - 2)}
    return {**analytic_curve(spec, epoch), **more, "epoch": epoch, "device_seconds": 1.0}


class NoopTrial(tune.Trainable):
    """Reports at once, as `study.backend.ray_trainable.ColorizationTrial` does."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the first trial of this process."""
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial."""
        self._spec, self._epoch = spec_of(new_config), 0
        return True

    def step(self) -> dict[str, Any]:
        """Report the next epoch."""
        self._epoch += 1
        result: dict[str, Any] = {REPORTS: [ten_metrics(self._spec, self._epoch)]}
        if self._spec.stage is Stage.FINAL and self._epoch == self._spec.epochs:
            result[TEST] = {OBJECTIVE: 1.0}
        return result


def noop_settings(
    cells: int, trials: int, epochs: int, name: str = "noop", pruner: str = "halving"
) -> StudySettings:
    """A study of so many cells without dependencies and without finals."""
    return StudySettings(
        name=name,
        datasets={f"set{index}": {"root": "drawn:scenes"} for index in range(cells)},  # type: ignore[arg-type]
        architectures=["unet"],
        budget={"trials": trials, "epochs": epochs},  # type: ignore[arg-type]
        search={"pruner": pruner},  # type: ignore[arg-type]
        replicates=1,
        finals={"seeds": 0},  # type: ignore[arg-type]
    )


def conductor_on_disk(settings: StudySettings, home: StudyHome, listeners: Sequence[Listener]) -> Conductor:
    """The study's conductor over an SQLite ledger."""
    home.root.mkdir(parents=True, exist_ok=True)
    ledger = StudyLedger(open_storage(home.ledger_url(settings)), settings)
    return Conductor(settings, ledger, listeners)


@contextmanager
def tracked(settings: StudySettings, home: StudyHome) -> Iterator[Tracker]:
    """A tracker whose events are delivered to MLflow on SQLite in the background; all are, at the end."""
    outbox = Outbox(home.outbox)
    tracker = Tracker(outbox)
    connect = partial(
        MlflowRuns,
        home.tracking_uri(settings),
        settings.name,
        home.artifacts.as_uri(),
        Storage(str(home.root)),
    )
    delivery = DeliveryThread(outbox, connect, print)
    for cell in cells_of(settings):
        tracker.open_cell(cell)
    _wait_for_database(outbox)
    yield tracker
    if not delivery.finish(_PATIENCE_SECONDS):
        raise RuntimeError("MLflow did not take all results")
    outbox.close()


def _wait_for_database(outbox: Outbox) -> None:
    started = time.monotonic()
    while not outbox.empty:
        if time.monotonic() - started > _PATIENCE_SECONDS:
            raise RuntimeError(f"MLflow took nothing within {_PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.05)


@contextmanager
def timed_reports(timing: Timing) -> Iterator[None]:
    """Time every `LedgerScheduler.on_trial_result` and every `Conductor.next`."""
    report, ask = LedgerScheduler.on_trial_result, Conductor.next

    def timed_report(self: LedgerScheduler, *arguments: Any) -> str:
        started = time.perf_counter()
        decision = report(self, *arguments)
        timing.moments.append(time.perf_counter())
        timing.reports.append(timing.moments[-1] - started)
        timing.cpu.append(time.thread_time())
        if decision == LedgerScheduler.STOP:
            timing.trial_ended()
        return decision

    def timed_ask(self: Conductor) -> TrialSpec | None:
        started = time.thread_time()
        spec = ask(self)
        if spec is not None:
            timing.asks.append(time.thread_time() - started)
        return spec

    LedgerScheduler.on_trial_result, Conductor.next = timed_report, timed_ask  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        LedgerScheduler.on_trial_result, Conductor.next = report, ask  # type: ignore[method-assign]


@contextmanager
def virtual_cpus(count: int) -> Iterator[None]:
    """A Ray on this machine that takes so many processes at a time, whatever there are."""
    ray.init(
        address="local",
        num_cpus=count,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield
    finally:
        ray.shutdown()


def run_ours(settings: StudySettings, folder: Path) -> Timing:
    """Our study of no-op trials on Ray, which is connected."""
    home, timing = StudyHome(folder.absolute()), Timing()
    with timed_reports(timing), tracked(settings, home) as tracker:
        conductor = conductor_on_disk(settings, home, [tracker])
        run_trials(NoopTrial, settings, home, conductor, print)
    return timing


class StockNoopTrial(tune.Trainable):
    """The same trial as one writes it for stock Tune."""

    def setup(self, config: dict[str, Any]) -> None:
        """Keep the configuration."""
        self._spec = TrialSpec("set0", "unet", Stage.SEARCH, 0, config, 0, 1)

    def step(self) -> dict[str, Any]:
        """Report the next epoch."""
        return ten_metrics(self._spec, self.iteration + 1)


def run_stock(settings: StudySettings, folder: Path) -> Timing:
    """The same number of trials with OptunaSearch, ASHAScheduler and MLflowLoggerCallback."""
    from ray.air.integrations.mlflow import MLflowLoggerCallback
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    timing = Timing()

    class TimedLogger(MLflowLoggerCallback):  # type: ignore[misc]
        def log_trial_result(self, iteration: int, trial: Any, result: dict) -> None:
            started = time.perf_counter()
            super().log_trial_result(iteration, trial, result)
            timing.moments.append(time.perf_counter())
            timing.reports.append(timing.moments[-1] - started)

        def log_trial_end(self, trial: Any, failed: bool = False) -> None:
            super().log_trial_end(trial, failed)
            timing.trial_ended()

    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    epochs = settings.budget.epochs
    logger = TimedLogger(tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="stock")
    folder.mkdir(parents=True, exist_ok=True)
    tune.Tuner(
        tune.with_resources(StockNoopTrial, {"cpu": settings.resources.cpus_per_trial}),
        param_space={"learning_rate": tune.loguniform(1e-5, 1e-2)},
        tune_config=tune.TuneConfig(
            metric=OBJECTIVE,
            mode="min",
            search_alg=OptunaSearch(seed=0),
            scheduler=ASHAScheduler(max_t=epochs),
            num_samples=settings.budget.trials * len(settings.datasets),
        ),
        run_config=tune.RunConfig(
            name="stock",
            storage_path=str(folder / "ray"),
            stop={"training_iteration": epochs},
            callbacks=[logger],
            verbose=0,
        ),
    ).fit()
    return timing
