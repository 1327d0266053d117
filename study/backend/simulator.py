"""A study on a virtual clock: the same conductor, ledger and Tune adapters, without cluster or training."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.result import NODE_IP
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from study.backend.ray_adapters import REPORTS, TEST, LedgerScheduler, LedgerSearcher, spec_of
from study.search.cells import Stage
from study.search.conductor import Conductor
from study.search.trial_spec import Report, TrialSpec

Curve = Callable[[TrialSpec, int], Report]
_NO_CONTROLLER = cast(TuneController, None)  # the adapters never look at it


class ProcessDied(Exception):
    """Raised by a curve: the trial's process dies in this epoch."""


@dataclass
class _SimulatedTrial:
    """What the adapters read of Ray's Trial, and the trial's progress."""

    trial_id: str
    config: dict[str, Any]
    error_file: str
    retries: int
    epoch: int = 0
    report: Report | None = None  # that comes next; None if the process dies before

    @property
    def spec(self) -> TrialSpec:
        return spec_of(self.config)

    @property
    def status(self) -> str:
        """The status that Tune gives a trial that died: ERROR if it will be retried."""
        return Trial.ERROR if self.retries > 0 else Trial.RUNNING

    def should_recover(self) -> bool:
        return self.retries > 0


class Simulation:
    """Workers that take trials from the conductor and report the values of a curve.

    A trial whose process died starts again at its first epoch, as one without a checkpoint does.

    Args:
        conductor: The study's rules over its ledger.
        curve: (trial, epoch from 1) → that epoch's report; its `device_seconds` (default 1) is how long the
            epoch lasts on the virtual clock. May raise `ProcessDied`.
        workers: Trials at a time.
        epochs_per_report: Epochs between two results.
        max_failures: Retries of a trial whose process died.

    Attributes:
        now: Virtual seconds since the start.
        results: Results that were reported.

    Example:
        >>> simulation = Simulation(conductor, analytic_curve, workers=64)
        >>> simulation.run()
        >>> conductor.finished
        True
    """

    def __init__(
        self,
        conductor: Conductor,
        curve: Curve,
        workers: int = 1,
        epochs_per_report: int = 1,
        max_failures: int = 2,
    ) -> None:
        self._searcher = LedgerSearcher(conductor, lambda: workers)
        self._scheduler = LedgerScheduler(conductor)
        self._curve = curve
        self._workers = workers
        self._epochs_per_report = epochs_per_report
        self._max_failures = max_failures
        self._due: list[tuple[float, int, _SimulatedTrial]] = []
        self._order = count()
        self.now = 0.0
        self.results = 0

    @property
    def busy(self) -> int:
        """Workers that have a trial."""
        return len(self._due)

    def run(self) -> None:
        """Run until nothing is left to do, or nothing more can be started."""
        with TemporaryDirectory() as folder:
            while self.advance(Path(folder)):
                pass

    def advance(self, folder: Path) -> bool:
        """Give every free worker a trial, then process the next result.

        Args:
            folder: Where the trials' errors are written, as Ray does.

        Returns:
            False if no worker has a trial.
        """
        while self.busy < self._workers and self._start(folder):
            pass
        if not self._due:
            return False
        self.now, _, trial = heapq.heappop(self._due)
        if trial.report is None:
            self._die(trial)
        else:
            self._report(trial, trial.report)
        return True

    def _start(self, folder: Path) -> bool:
        trial_id = f"simulated-{next(self._order)}"
        config = self._searcher.suggest(trial_id)
        if not isinstance(config, dict) or config == Searcher.FINISHED:
            return False
        self._train(_SimulatedTrial(trial_id, config, str(folder / trial_id), self._max_failures))
        return True

    def _train(self, trial: _SimulatedTrial) -> None:
        """Compute the epochs up to the next report, and schedule it for when they would be done."""
        spec, seconds = trial.spec, 0.0
        for _ in range(min(self._epochs_per_report, spec.epochs - trial.epoch)):
            trial.epoch += 1
            try:
                report = self._curve(spec, trial.epoch)
            except ProcessDied as error:
                Path(trial.error_file).write_text(f"{type(error).__name__}: {error}\n")
                trial.report = None
                seconds += 1.0
                break
            seconds += report.get("device_seconds", 1.0)
            trial.report = {**report, "epoch": trial.epoch, "device_seconds": seconds}
        heapq.heappush(self._due, (self.now + seconds, next(self._order), trial))

    def _report(self, trial: _SimulatedTrial, report: Report) -> None:
        self.results += 1
        spec = trial.spec
        result: dict[str, Any] = {REPORTS: [report], NODE_IP: "127.0.0.1"}
        if spec.stage is not Stage.SEARCH and trial.epoch == spec.epochs:
            result |= {f"{TEST}/{name}": value for name, value in report.items()}
        decision = self._scheduler.on_trial_result(_NO_CONTROLLER, cast(Trial, trial), result)
        if decision == TrialScheduler.STOP:
            self._searcher.on_trial_complete(trial.trial_id)
        else:
            self._train(trial)

    def _die(self, trial: _SimulatedTrial) -> None:
        self._scheduler.on_trial_error(_NO_CONTROLLER, cast(Trial, trial))
        if trial.should_recover():
            trial.retries -= 1
            trial.epoch = 0
            self._train(trial)
        else:
            self._searcher.on_trial_complete(trial.trial_id, error=True)
