"""The rules of a study: which trial comes next, and when one is stopped.

The conductor knows neither Ray nor MLflow. It asks the ledger, and tells its listeners what happened; the adapters of
Ray Tune (`study.tune_adapters`) drive it on a cluster, and a simulated clock can drive it without one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from optuna.trial import FrozenTrial, TrialState

from models.architectures import architecture
from models.metrics import OBJECTIVE
from study import ledger as keys
from study.cells import Cell, Stage, derived_seed
from study.config import StudySettings
from study.ledger import CellLedger, Entry, Parameters
from study.search_space import distributions

Report = dict[str, float]
GENERATOR_INIT = "generator_init"


@dataclass(frozen=True)
class Assignment:
    """One trial to be run: all that a worker must know of it.

    Attributes:
        seed: Of initial weights and batches.
        epochs: When the trial is complete.
        generator_from: Number of the pretraining cell's trial whose best weights start the generator.
    """

    dataset: str
    architecture: str
    stage: Stage
    number: int
    params: Parameters
    seed: int
    epochs: int
    generator_from: int | None = None

    @property
    def cell(self) -> str:
        """Key of the trial's cell."""
        return f"{self.dataset}/{self.architecture}"

    @property
    def key(self) -> str:
        """The trial's name everywhere: `dataset/architecture/number`, finals with `final` before the number."""
        return f"{self.cell}/{'' if self.stage is Stage.SEARCH else 'final-'}{self.number}"


@dataclass(frozen=True)
class End:
    """How a trial ended.

    Attributes:
        reason: Why it was pruned or failed; empty for a complete one.
        value: Lowest objective it reached, None if it never reported.
        epochs: Epochs it trained.
        device_seconds: What it cost.
        test: A complete final's metrics on the test split.
        ended: How many search trials of the cell have ended now.
        best: Lowest objective of the cell's complete search trials, None without one.
    """

    state: TrialState
    reason: str
    value: float | None
    epochs: int
    device_seconds: float
    test: Report | None
    ended: int
    best: float | None


class Listener(Protocol):
    """Someone who is told what happens, before the ledger holds it (so that a crash repeats rather than omits)."""

    def started(self, assignment: Assignment) -> None:
        """A trial was handed out, for the first time or again."""

    def reported(self, assignment: Assignment, report: Report) -> None:
        """A trial finished an epoch; after a restart, earlier epochs come again."""

    def pictured(self, assignment: Assignment, epoch: int, key: str) -> None:
        """A trial stored a picture of its predictions after an epoch, under a key of the study's storage."""

    def ended(self, assignment: Assignment, end: End) -> None:
        """A trial ended."""

    def noted(self, sentence: str) -> None:
        """Something a reader of the study should know."""


@dataclass
class _Progress:
    """Where a cell stands; derived from the ledger."""

    cell: Cell
    search: CellLedger
    finals: CellLedger
    begun: int = 0
    states: Counter[TrialState] = field(default_factory=Counter)
    running: set[tuple[Stage, int]] = field(default_factory=set)
    finals_begun: int = 0
    epochs: int = 0
    device_seconds: float = 0.0
    best: float = math.inf


class Conductor:
    """Hands out trials and decides about their reports.

    Args:
        settings: The study.
        cells: Its cells.
        ledgers: For each cell's key and stage, its part of the ledger.
        listeners: Told of everything that happens.
    """

    def __init__(
        self,
        settings: StudySettings,
        cells: Sequence[Cell],
        ledgers: Mapping[tuple[str, Stage], CellLedger],
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._settings = settings
        self._listeners = listeners
        self._progress = {
            cell.key: _Progress(cell, ledgers[cell.key, Stage.SEARCH], ledgers[cell.key, Stage.FINAL]) for cell in cells
        }
        self._seconds: dict[str, dict[int, float]] = {}
        self._orphans: list[tuple[_Progress, Stage, Entry]] = []
        for progress in self._progress.values():
            self._read_ledger(progress)

    def _read_ledger(self, progress: _Progress) -> None:
        for trial in progress.search.trials():
            if trial.state is not TrialState.WAITING:
                progress.begun += 1
            if trial.state.is_finished():
                progress.states[trial.state] += 1
                self._charge(progress, trial)
            if trial.state is TrialState.COMPLETE:
                progress.best = min(trial.values[0], progress.best)
        for trial in progress.finals.trials():
            progress.finals_begun += trial.state is not TrialState.WAITING
            self._charge(progress, trial)
        for stage, book in ((Stage.SEARCH, progress.search), (Stage.FINAL, progress.finals)):
            for entry in book.running():
                progress.running.add((stage, entry.number))
                self._orphans.append((progress, stage, entry))

    @staticmethod
    def _charge(progress: _Progress, trial: FrozenTrial) -> None:
        progress.epochs += trial.last_step or 0
        progress.device_seconds += trial.user_attrs.get(keys.DEVICE_SECONDS, 0.0)

    @property
    def finished(self) -> bool:
        """Whether nothing is running and nothing is left to hand out, now or later."""
        return not self._orphans and all(
            not progress.running and self._searched(progress) and not self._finals_left(progress)
            for progress in self._progress.values()
        )

    def next(self) -> Assignment | None:
        """The next trial: orphans first, then that of the runnable cell which has spent least.

        Returns:
            None if nothing can be started before a running trial ends, or if the study is finished.
        """
        if self._orphans:
            progress, stage, entry = self._orphans.pop(0)
            if stage is Stage.SEARCH:
                entry = progress.search.complete_parameters(entry.number, self._space(progress))
            return self._hand_out(progress, stage, entry)
        for progress in sorted(self._progress.values(), key=self._spent):
            if self._search_left(progress) and self._ready(progress):
                if not progress.search.trials():
                    self._open(progress)
                progress.begun += 1
                return self._hand_out(progress, Stage.SEARCH, progress.search.ask(self._space(progress)))
            if self._searched(progress) and self._finals_left(progress):
                if not progress.finals.trials():
                    self._enqueue_finals(progress)
                progress.finals_begun += 1
                return self._hand_out(progress, Stage.FINAL, progress.finals.ask(self._space(progress)))
        return None

    def _spent(self, progress: _Progress) -> float:
        running = len(progress.running) * progress.cell.epochs
        return progress.device_seconds if self._settings.budget.device_seconds else progress.epochs + running

    def _search_left(self, progress: _Progress) -> bool:
        limit = self._settings.budget.device_seconds
        within = limit is None or progress.device_seconds < limit
        return progress.begun < self._settings.budget.trials and within and not progress.search.attributes.get(keys.STOPPED)

    def _searched(self, progress: _Progress) -> bool:
        busy = any(stage is Stage.SEARCH for stage, _ in progress.running)
        return not self._search_left(progress) and not busy

    def _finals_left(self, progress: _Progress) -> bool:
        if not progress.states[TrialState.COMPLETE]:
            return False
        finals = self._settings.finals
        configurations = min(finals.configurations, progress.states[TrialState.COMPLETE])
        return progress.finals_begun < configurations * finals.seeds

    def _giver(self, progress: _Progress) -> _Progress | None:
        return self._progress.get(progress.cell.pretrained_by or "")

    def _ready(self, progress: _Progress) -> bool:
        giver = self._giver(progress)
        return giver is None or self._searched(giver)

    def _open(self, progress: _Progress) -> None:
        """Decide once what the cell's search space is, and enqueue the textbook configuration."""
        giver = self._giver(progress)
        pretrained = giver is not None and giver.states[TrialState.COMPLETE] > 0
        progress.search.remember(keys.PRETRAINED, pretrained)
        if giver and not pretrained:
            self._note(
                f"{giver.cell.key} has no finished trial, so {progress.cell.key} is trained from scratch alone."
            )
        space = self._space(progress)
        textbook = {
            name: value
            for name, value in architecture(progress.cell.architecture).textbook.items()
            if space[name]._contains(space[name].to_internal_repr(value))
        }
        progress.search.enqueue(textbook)

    def _space(self, progress: _Progress) -> dict[str, Any]:
        name = progress.cell.architecture
        overrides = self._settings.search.space.get(name, {})
        return dict(
            distributions(name, overrides, pretrained=bool(progress.search.attributes.get(keys.PRETRAINED)))
        )

    def _enqueue_finals(self, progress: _Progress) -> None:
        complete = sorted(progress.search.trials(TrialState.COMPLETE), key=lambda trial: (trial.value, trial.number))
        for trial in complete[: self._settings.finals.configurations]:
            for repeat in range(self._settings.finals.seeds):
                seed = derived_seed(self._settings.seed, progress.cell.key, "final", trial.number, repeat)
                attributes = {keys.SEED: seed, keys.CONFIGURATION: trial.number}
                if keys.GENERATOR_FROM in trial.user_attrs:
                    attributes[keys.GENERATOR_FROM] = trial.user_attrs[keys.GENERATOR_FROM]
                progress.finals.enqueue(trial.params, attributes)

    def _hand_out(self, progress: _Progress, stage: Stage, entry: Entry) -> Assignment:
        book = progress.search if stage is Stage.SEARCH else progress.finals
        giver = self._giver(progress)
        generator_from = entry.attributes.get(keys.GENERATOR_FROM)
        if giver and entry.params.get(GENERATOR_INIT) == giver.cell.architecture and generator_from is None:
            best = min(giver.search.trials(TrialState.COMPLETE), key=lambda trial: (trial.value, trial.number))
            generator_from = best.number
            book.annotate(entry.number, keys.GENERATOR_FROM, generator_from)
        seed = entry.attributes.get(keys.SEED)
        if seed is None:
            seed = derived_seed(self._settings.seed, progress.cell.key, "trial", entry.number)
            book.annotate(entry.number, keys.SEED, seed)
        progress.running.add((stage, entry.number))
        assignment = Assignment(
            progress.cell.dataset,
            progress.cell.architecture,
            stage,
            entry.number,
            entry.params,
            seed,
            progress.cell.epochs,
            generator_from,
        )
        for listener in self._listeners:
            listener.started(assignment)
        return assignment

    def report(
        self,
        assignment: Assignment,
        reports: Sequence[Report],
        test: Report | None = None,
        picture: str | None = None,
    ) -> bool:
        """Take a trial's new reports and decide.

        Args:
            assignment: The trial.
            reports: Metrics by name, with `epoch`; after a restart earlier epochs may come again.
            test: Metrics of the test split, with the last report of a final.
            picture: Key of a picture of the predictions after the last report.

        Returns:
            True if the trial is to be stopped: complete, pruned or diverged.
        """
        progress = self._progress[assignment.cell]
        if (assignment.stage, assignment.number) not in progress.running:
            return True  # a process that was lost and came back after the trial had ended
        book = progress.search if assignment.stage is Stage.SEARCH else progress.finals
        for report in reports:
            for listener in self._listeners:
                listener.reported(assignment, report)
            if reason := divergence(report):
                self._end(assignment, TrialState.FAIL, reason)
                return True
            epoch = int(report["epoch"])
            self._seconds.setdefault(assignment.key, {})[epoch] = report.get("device_seconds", 0.0)
            book.report(assignment.number, epoch, report[OBJECTIVE])
        if picture:
            for listener in self._listeners:
                listener.pictured(assignment, int(reports[-1]["epoch"]), picture)
        if reports[-1]["epoch"] >= assignment.epochs:
            if test is not None:
                book.record_test(assignment.number, test)
            self._end(assignment, TrialState.COMPLETE, "", test)
            return True
        if assignment.stage is Stage.SEARCH and book.should_prune(assignment.number):
            self._end(assignment, TrialState.PRUNED, f"weaker than its cell's earlier trials at epoch {int(reports[-1]['epoch'])}")
            return True
        return False

    def fail(self, assignment: Assignment, reason: str) -> None:
        """A trial that was retried often enough is told FAIL with its reason."""
        if (assignment.stage, assignment.number) in self._progress[assignment.cell].running:
            self._end(assignment, TrialState.FAIL, reason)

    def _end(self, assignment: Assignment, state: TrialState, reason: str, test: Report | None = None) -> None:
        progress = self._progress[assignment.cell]
        book = progress.search if assignment.stage is Stage.SEARCH else progress.finals
        seconds_by_epoch = self._seconds.pop(assignment.key, {})
        seconds = sum(seconds_by_epoch.values())
        progress.epochs += max(seconds_by_epoch, default=0)
        progress.device_seconds += seconds
        if assignment.stage is Stage.SEARCH:
            progress.states[state] += 1
            if state is TrialState.COMPLETE:
                progress.best = min(book.best_value(assignment.number), progress.best)
        best = progress.best if math.isfinite(progress.best) else None
        value = book.best_value(assignment.number)
        end = End(
            state,
            reason,
            value if math.isfinite(value) else None,
            max(seconds_by_epoch, default=0),
            seconds,
            test,
            progress.states.total(),
            best,
        )
        for listener in self._listeners:
            listener.ended(assignment, end)
        book.finish(assignment.number, state, reason=reason, device_seconds=seconds)
        progress.running.discard((assignment.stage, assignment.number))
        self._stop_failing_cell(progress)

    def _stop_failing_cell(self, progress: _Progress) -> None:
        failed = progress.states[TrialState.FAIL]
        allowed = self._settings.resources.max_failed_share * self._settings.budget.trials
        if failed > allowed and not progress.search.attributes.get(keys.STOPPED):
            sentence = (
                f"{progress.cell.key} stops: {failed} of its {self._settings.budget.trials} trials failed "
                f"(resources.max_failed_share is {self._settings.resources.max_failed_share:g})."
            )
            progress.search.remember(keys.STOPPED, sentence)
            self._note(sentence)

    def _note(self, sentence: str) -> None:
        for listener in self._listeners:
            listener.noted(sentence)


def divergence(report: Report) -> str:
    """Why a report shows that a trial diverged, or the empty string."""
    for name, value in report.items():
        if name.endswith("loss") and not math.isfinite(value):
            return f"diverged: {name} is {value} at epoch {int(report['epoch'])}"
    if not math.isfinite(report[OBJECTIVE]):
        return f"diverged: {OBJECTIVE} is {report[OBJECTIVE]} at epoch {int(report['epoch'])}"
    return ""
