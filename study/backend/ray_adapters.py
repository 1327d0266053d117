"""A Searcher and a TrialScheduler for Ray Tune that leave every decision to the conductor.

Tune calls the scheduler before the searcher, and skips the searcher when a trial is stopped. So the scheduler reports
and asks whether to stop, and the searcher only suggests. Neither has state of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.tune import Callback
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.result import NODE_IP
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from study.backend.watch import Seen, Watch
from study.errors import StudyError, masked
from study.search.cells import Stage
from study.search.conductor import Conductor
from study.search.trial_spec import TrialSpec
from study.storage.storage import StorageError

SPEC = "spec"
GPUS = "gpus"
PLACEMENT = "placement"
REPORTS = "reports"
TEST = "test"
PICTURE = "picture"
NOTE = "note"
"""A sentence for the user about the process that reports, with its first report."""
# How a traceback names the error: of a worker's exception, Tune passes on no more than its text.
_STORAGE_ERROR = f"{StorageError.__module__}.{StorageError.__qualname__}: "


def spec_of(config: dict[str, Any]) -> TrialSpec:
    """The trial in a configuration of Tune's."""
    values = dict(config[SPEC])
    return TrialSpec(**{**values, "stage": Stage(values["stage"])})


def trial_name(trial: Trial) -> str:
    """The name of a trial and of its folder in Ray."""
    return spec_of(trial.config).key.replace("/", "-")


class _KeepsErrors:
    """Keeps an exception of the conductor's, of which Tune passes on only the text."""

    error: Exception | None = None

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = error
            raise


class LedgerSearcher(_KeepsErrors, Searcher):
    """Suggests the trials that the conductor hands out.

    Args:
        conductor: The study's rules.
        capacity: Returns how many trials may run at a time.
        gpus: Returns how many GPUs the next trial asks for.
        placement: Returns what keeps the next trial from nodes that cannot have it.
    """

    def __init__(
        self,
        conductor: Conductor,
        capacity: Callable[[], int],
        gpus: Callable[[], float] = lambda: 0.0,
        placement: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        super().__init__()
        self._conductor = conductor
        self._capacity = capacity
        self._gpus = gpus
        self._placement = placement
        self._live: set[str] = set()

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict, **spec: Any) -> bool:
        """Accept anything: the conductor knows metric and space."""
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial, None to wait, or `FINISHED`."""
        with self._kept():
            if self._conductor.finished:
                return Searcher.FINISHED
            if len(self._live) >= self._capacity():
                return None
            spec = self._conductor.next()
        if spec is None:
            return None
        self._live.add(trial_id)
        return {SPEC: asdict(spec), GPUS: self._gpus(), PLACEMENT: self._placement()}

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Let another trial start; the scheduler has reported the result."""
        self._live.discard(trial_id)

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Save nothing: the ledger has everything."""

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles the searcher beside its snapshots; neither is ever read back.
        return {}


class LedgerScheduler(_KeepsErrors, FIFOScheduler):
    """Reports every result to the conductor, and stops the trials that it ends.

    Args:
        conductor: The study's rules.
        watch: Is shown the trials and told of every result; None on a virtual clock.
    """

    _supports_buffered_results = False

    def __init__(self, conductor: Conductor, watch: Watch | None = None) -> None:
        super().__init__()
        self._conductor = conductor
        self._watch = watch
        self._handed_out_again: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        """None: Tune starts pending trials by itself. It asks all the time, so this is where trials are watched.

        A trial named here would take over the process of one that has just ended, and the process that is being
        started for it on another node would be discarded; with short trials, one node would do all the work.
        """
        if self._watch:
            self._watch.look([_seen(trial) for trial in tune_controller.get_live_trials()])
        return None

    def on_trial_result(self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]) -> str:
        """Report, and stop a trial that is complete, pruned or diverged."""
        spec = spec_of(trial.config)
        if self._watch:
            self._watch.heard(spec.key, spec.cell)
            if note := result.get(NOTE):
                self._watch.say_once(note)
        with self._kept():
            self._conductor.place(spec, result[NODE_IP])
            stop = self._conductor.report(spec, result[REPORTS], _test_of(result), result.get(PICTURE))
        return TrialScheduler.STOP if stop else TrialScheduler.CONTINUE

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:
        """End a trial as FAIL once its retries are used up.

        Tune calls this before it gives up a trial, and also after it has queued one for a retry, whose status is then
        ERROR. A trial whose process died while it was being started is given up by Tune without a retry, so the
        conductor hands it out again.

        Raises:
            StudyError: If the storage cannot be used. No trial is at fault, so none ends as FAIL: a driver that resumes
                the study continues them.
        """
        if trial.status == Trial.ERROR:
            return
        spec, reason = spec_of(trial.config), _reason(trial)
        with self._kept():
            if trial.should_recover() and self._handed_out_again[spec.key] < trial.max_failures:
                self._handed_out_again[spec.key] += 1
                self._conductor.hand_out_again(spec)
                return
            if reason.startswith(_STORAGE_ERROR):
                raise StudyError(
                    f"{reason.removeprefix(_STORAGE_ERROR)} The study stops; continue with --resume."
                )
            self._conductor.fail(spec, reason)


class Forgetful(Callback):
    """Drops what Tune keeps of every number of an ended trial, half of its memory: the ledger has all results."""

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Tune asks for none of it again."""
        trial.metric_n_steps.clear()
        trial.metric_analysis.clear()


def _seen(trial: Trial) -> Seen:
    spec = spec_of(trial.config)
    return Seen(spec.key, spec.cell, trial.status == Trial.RUNNING, partial(_end_process, trial))


def _end_process(trial: Trial) -> None:
    actor = trial.temporary_state.ray_actor
    if actor is not None:
        ray.kill(actor)  # a stopped process, too, ends by it; Tune sees the loss and retries the trial


def _test_of(result: dict[str, Any]) -> dict[str, float] | None:
    prefix = f"{TEST}/"
    test = {name.removeprefix(prefix): value for name, value in result.items() if name.startswith(prefix)}
    return test or None


def _reason(trial: Trial) -> str:
    """The last line of the last traceback, which names exception and message, without secrets."""
    lines = [line.strip() for line in Path(trial.error_file).read_text().splitlines() if line.strip()]
    return masked(lines[-1])[:500]
