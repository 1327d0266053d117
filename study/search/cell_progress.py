"""What a cell has done and what is left to do, read from its part of the ledger."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from models.hyperparameters import Space
from study.search import attributes as keys
from study.search.cell_ledger import CellLedger
from study.search.cells import Cell, Stage
from study.search.retraining import (
    controlled,
    enqueue_continuation,
    enqueue_control,
    enqueue_finals,
    pretrained,
)
from study.search.trial_spec import End, LedgerTrial, Report, TrialSpec, TrialState, retried
from study.settings.schema import StudySettings

# A cell is not abandoned before this many of its trials have ended: a few divergences prove nothing.
_JUDGED_FROM = 6


class CellProgress:
    """One cell's counters. They follow from the ledger and are kept only to avoid reading it all the time.

    Args:
        cell: The cell.
        parts: What the ledger has of it.
        settings: The study.

    Attributes:
        states: Number of search trials by the state in which they ended.
        finals_ended: Number of finals that ended.
        controls_ended: Number of controls that ended.
        epochs: Epochs charged for the trials that ended.
        device_seconds: Device time charged, for running trials too.
        best: Lowest objective of the complete search trials, infinite if there is none.
    """

    def __init__(self, cell: Cell, parts: Mapping[Stage, CellLedger], settings: StudySettings) -> None:
        self.cell = cell
        self.search = search = parts[Stage.SEARCH]
        self.finals = finals = parts[Stage.FINAL]
        self._parts = parts
        self._settings = settings
        self.states: Counter[TrialState] = Counter()
        self.finals_ended = 0
        self.controls_ended = 0
        self.epochs = 0
        self.device_seconds = 0.0
        self.best = math.inf
        # Device-seconds by epoch of the running trials, handed out by this driver or by an earlier one.
        self._running: dict[tuple[Stage, int], dict[int, float]] = {}
        for stage in parts:
            self._read(stage)
        everything = search.trials()
        again = retried(everything)
        trials = [
            trial
            for trial in everything
            if trial.state is not TrialState.WAITING and trial.number not in again
        ]
        continued = {trial.attributes.get(keys.CONTINUES) for trial in trials}
        self._begun = sum(keys.CONTINUES not in trial.attributes for trial in trials)
        self._to_continue = {
            trial.number: trial
            for trial in search.trials(TrialState.COMPLETE)
            if trial.epochs < cell.epochs and trial.number not in continued
        }
        running_finals = sum(stage is Stage.FINAL for stage, _ in self._running)
        self._finals_begun = self.finals_ended + running_finals
        self._winners: list[int] | None = finals.attributes.get(keys.WINNERS)
        self._to_control: set[int] = set()
        if (controls := parts.get(Stage.CONTROL)) is not None:
            self._to_control = {final.number for final in pretrained(finals)} - controlled(controls)

    def _read(self, stage: Stage) -> None:
        trials = self.ledger(stage).trials()
        again = retried(trials)
        for trial in trials:
            if trial.state.ended:
                if trial.number not in again:
                    self._count(stage, trial.state, trial.best)
                self.epochs += charged_epochs(trial.epochs, trial.attributes.get(keys.INHERITED_EPOCHS, 0))
                self.device_seconds += trial.attributes.get(keys.DEVICE_SECONDS, 0.0)
            elif trial.state is TrialState.RUNNING:
                self._running[stage, trial.number] = {}

    def _count(self, stage: Stage, state: TrialState, best: float) -> None:
        if stage is not Stage.SEARCH:
            self.finals_ended += stage is Stage.FINAL
            self.controls_ended += stage is Stage.CONTROL
            return
        self.states[state] += 1
        if state is TrialState.COMPLETE:
            self.best = min(best, self.best)

    def ledger(self, stage: Stage) -> CellLedger:
        """The cell's part of the ledger at a stage."""
        return self._parts[stage]

    def interrupted(self) -> list[tuple[Stage, int]]:
        """Stage and number of every trial that was handed out and has not ended."""
        return list(self._running)

    def is_running(self, spec: TrialSpec) -> bool:
        """Whether a trial was handed out and has not ended."""
        return (spec.stage, spec.number) in self._running

    @property
    def idle(self) -> bool:
        """Whether no trial is running."""
        return not self._running

    @property
    def spent(self) -> tuple[float, int]:
        """What the cell was charged, running trials included, and how many run; the least comes next."""
        running = len(self._running)
        if self._settings.budget.device_seconds:
            return self.device_seconds, running
        return self.epochs + running * self.cell.epochs, running

    @property
    def failing(self) -> bool:
        """Whether so many trials failed that continuing would only waste the budget."""
        ended = max(self.states.total(), min(_JUDGED_FROM, self._settings.budget.trials))
        return self.states[TrialState.FAIL] > self._settings.resources.max_failed_share * ended

    @property
    def search_left(self) -> bool:
        """Whether a search trial is left to begin or to continue."""
        limit = self._settings.budget.device_seconds
        within = limit is None or self.device_seconds < limit
        fresh = within and self._begun < self._settings.budget.trials
        return (fresh or bool(self._to_continue)) and not self.failing

    @property
    def searched(self) -> bool:
        """Whether the search is over."""
        return not self.search_left and all(stage is not Stage.SEARCH for stage, _ in self._running)

    @property
    def finals_left(self) -> bool:
        """Whether a final is left to begin."""
        finals = self._settings.finals
        winners = min(finals.configurations, self.states[TrialState.COMPLETE])
        if self._winners is not None:
            winners = len(self._winners)
        return self._finals_begun < winners * finals.seeds

    @property
    def controls_left(self) -> bool:
        """Whether the control of a complete final is left to begin."""
        return bool(self._to_control)

    @property
    def finals_stand(self) -> bool:
        """Whether finals were begun although the search continues: the study was extended after its end."""
        return self.search_left and self._finals_begun > 0

    def complete(self) -> list[LedgerTrial]:
        """Complete search trials, best first; a trial whose continuation is complete is left out."""
        trials = self.search.trials(TrialState.COMPLETE)
        superseded = {trial.attributes.get(keys.CONTINUES) for trial in trials}
        left = [trial for trial in trials if trial.number not in superseded]
        return sorted(left, key=lambda trial: (trial.best, trial.number))

    def begin_search(self, space: Space) -> LedgerTrial:
        """Begin the next search trial: a new one, or under a longer budget the continuation of a complete one."""
        if self._to_continue:
            enqueue_continuation(self.search, next(iter(self._to_continue.values())))
        trial = self.search.ask(space)
        if keys.CONTINUES in trial.attributes:
            del self._to_continue[trial.attributes[keys.CONTINUES]]
        else:  # a new one, perhaps enqueued by a driver that died
            self._begun += 1
        self._running[Stage.SEARCH, trial.number] = {}
        return trial

    def begin_final(self, space: Space) -> LedgerTrial:
        """Begin the next final. Winners are chosen once: a result on the test split is never replaced."""
        if self._winners is None:
            self._winners = [
                trial.number for trial in self.complete()[: self._settings.finals.configurations]
            ]
            self.finals.remember(keys.WINNERS, self._winners)
        if not self.finals.trials(TrialState.WAITING):
            enqueue_finals(self.cell, self.search, self.finals, self._winners, self._settings)
        trial = self.finals.ask(space)
        self._finals_begun += 1
        self._running[Stage.FINAL, trial.number] = {}
        return trial

    def begin_control(self, parent: CellProgress, space: Space) -> LedgerTrial:
        """Begin the control of a final.

        Args:
            parent: The cell that the start comes from.
            space: The parent's search space.
        """
        controls = self._parts[Stage.CONTROL]
        enqueue_control(min(self._to_control), self.finals, controls, parent.search)
        trial = controls.ask(space)
        self._to_control.discard(trial.attributes[keys.CONTROLLED])
        self._running[Stage.CONTROL, trial.number] = {}
        return trial

    def charge(self, spec: TrialSpec, report: Report) -> None:
        """Charge an epoch of a running trial, unless it was inherited or charged before."""
        epoch, charged = int(report["epoch"]), self._running[spec.stage, spec.number]
        if epoch > spec.inherited_epochs and epoch not in charged:
            charged[epoch] = report.get("device_seconds", 0.0)
            self.device_seconds += charged[epoch]

    def end(self, spec: TrialSpec, state: TrialState, reason: str = "", test: Report | None = None) -> End:
        """Count a running trial as ended; the caller then ends it in the ledger.

        Args:
            spec: The trial.
            state: How it ended.
            reason: Why, if it is not complete.
            test: A complete final's metrics on the test split.
        """
        charged = self._running.pop((spec.stage, spec.number))
        ledger = self.ledger(spec.stage)
        epochs = charged_epochs(max([ledger.last_epoch(spec.number), *charged]), spec.inherited_epochs)
        best = ledger.best_value(spec.number)
        if spec.stage is Stage.FINAL and state is TrialState.COMPLETE and Stage.CONTROL in self._parts:
            self._to_control |= set() if spec.generator_from is None else {spec.number}
        self.epochs += epochs
        self._count(spec.stage, state, best)
        return End(
            state,
            reason,
            best if math.isfinite(best) else None,
            epochs,
            round(sum(charged.values()), 3),
            test,
            ended=self.states.total(),
            best=self.best if math.isfinite(self.best) else None,
        )


def charged_epochs(last: int, inherited: int) -> int:
    """Epochs that a trial is charged for: those up to its last one that it did not inherit."""
    return max(0, last - inherited)
