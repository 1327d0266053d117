"""Where a cell stands and what is left of it, read from its part of the ledger."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from optuna.distributions import BaseDistribution

from study.search import attributes as keys
from study.search.cells import Cell, Stage, derived_seed
from study.search.ledger import CellLedger
from study.search.trial_spec import LedgerTrial, TrialState
from study.settings.schema import StudySettings

# A cell is not given up before this many of its trials have ended: a few diverged ones prove nothing.
_JUDGED_FROM = 6


class Progress:
    """One cell's counts; they follow from the ledger, and are kept only so as not to ask it all the time.

    Args:
        cell: The cell.
        search: Its search in the ledger.
        finals: Its finals in the ledger.
        settings: The study.

    Attributes:
        states: How many search trials ended how.
        running: Stage and number of every trial that was handed out, by this driver or one before it.
        epochs: Epochs charged.
        device_seconds: Device time charged.
        best: Lowest objective of the complete search trials.
    """

    def __init__(self, cell: Cell, search: CellLedger, finals: CellLedger, settings: StudySettings) -> None:
        self.cell = cell
        self.search = search
        self.finals = finals
        self._settings = settings
        self.states: Counter[TrialState] = Counter()
        self.running: set[tuple[Stage, int]] = set()
        self.epochs = 0
        self.device_seconds = 0.0
        self.best = math.inf
        self._begun = 0
        self._winners: list[int] | None = finals.attributes.get(keys.WINNERS)
        self._to_continue: dict[int, LedgerTrial] = {}
        self._read_search()
        self._finals_begun = len(finals.trials()) - len(finals.trials(TrialState.WAITING))
        for trial in finals.trials():
            if trial.state.ended:
                self._charge(trial)
        for stage in Stage:
            self.running |= {(stage, entry.number) for entry in self.book(stage).running()}

    def _read_search(self) -> None:
        trials = self.search.trials()
        for trial in trials:
            if trial.state is not TrialState.WAITING:
                self._begun += keys.CONTINUES not in trial.attributes
            if trial.state.ended:
                self.states[trial.state] += 1
                self._charge(trial)
            if trial.state is TrialState.COMPLETE:
                self.best = min(trial.best, self.best)
        continued = {
            trial.attributes.get(keys.CONTINUES) for trial in trials if trial.state is not TrialState.WAITING
        }
        self._to_continue = {
            trial.number: trial
            for trial in self.search.trials(TrialState.COMPLETE)
            if trial.epochs < self.cell.epochs and trial.number not in continued
        }

    def _charge(self, trial: LedgerTrial) -> None:
        inherited = trial.attributes.get(keys.INHERITED_EPOCHS, 0)
        self.epochs += max(0, trial.epochs - inherited)
        self.device_seconds += trial.attributes.get(keys.DEVICE_SECONDS, 0.0)

    def book(self, stage: Stage) -> CellLedger:
        """The cell's part of the ledger at a stage."""
        return self.search if stage is Stage.SEARCH else self.finals

    @property
    def spent(self) -> tuple[float, int]:
        """What the cell was charged, running trials included, then how many run; decides whose turn it is."""
        running = len(self.running)
        if self._settings.budget.device_seconds:
            return self.device_seconds, running
        return self.epochs + running * self.cell.epochs, running

    @property
    def failing(self) -> bool:
        """Whether so many trials failed that going on would only burn the budget."""
        ended = max(self.states.total(), min(_JUDGED_FROM, self._settings.budget.trials))
        return self.states[TrialState.FAIL] > self._settings.resources.max_failed_share * ended

    @property
    def search_left(self) -> bool:
        """Whether a search trial can still be begun or continued."""
        limit = self._settings.budget.device_seconds
        within = limit is None or self.device_seconds < limit
        fresh = within and self._begun < self._settings.budget.trials
        return (fresh or bool(self._to_continue)) and not self.failing

    @property
    def searched(self) -> bool:
        """Whether the search is over."""
        return not self.search_left and all(stage is not Stage.SEARCH for stage, _ in self.running)

    @property
    def finals_left(self) -> bool:
        """Whether a final can still be begun."""
        finals = self._settings.finals
        winners = min(finals.configurations, self.states[TrialState.COMPLETE])
        if self._winners is not None:
            winners = len(self._winners)
        return self._finals_begun < winners * finals.seeds

    @property
    def finals_stand(self) -> bool:
        """Whether finals were begun although the search goes on: the study was extended after its end."""
        return self.search_left and self._finals_begun > 0

    def complete(self) -> list[LedgerTrial]:
        """Complete search trials, best first; one that was continued to the end gives way to its continuation."""
        trials = self.search.trials(TrialState.COMPLETE)
        superseded = {trial.attributes.get(keys.CONTINUES) for trial in trials}
        left = [trial for trial in trials if trial.number not in superseded]
        return sorted(left, key=lambda trial: (trial.best, trial.number))

    def begin_search(self, space: Mapping[str, BaseDistribution]) -> LedgerTrial:
        """Begin the next search trial: a longer budget's continuation of a complete one, or a fresh one."""
        if self._to_continue:
            self._enqueue_continuation(next(iter(self._to_continue.values())))
        entry = self.search.ask(space)
        if keys.CONTINUES in entry.attributes:
            del self._to_continue[entry.attributes[keys.CONTINUES]]
        else:  # a fresh one, which a driver that died had enqueued before
            self._begun += 1
        return entry

    def _enqueue_continuation(self, trial: LedgerTrial) -> None:
        waiting = self.search.trials(TrialState.WAITING)
        if any(one.attributes.get(keys.CONTINUES) == trial.number for one in waiting):
            return
        kept = {
            name: trial.attributes[name]
            for name in (keys.SEED, keys.GENERATOR_FROM)
            if name in trial.attributes
        }
        inherited = {keys.CONTINUES: trial.number, keys.INHERITED_EPOCHS: trial.epochs}
        self.search.enqueue(trial.params, kept | inherited)

    def begin_final(self, space: Mapping[str, BaseDistribution]) -> LedgerTrial:
        """Begin the next final. Winners are chosen once: what was evaluated on the test split stands."""
        if self._winners is None:
            self._winners = [
                trial.number for trial in self.complete()[: self._settings.finals.configurations]
            ]
            self.finals.remember(keys.WINNERS, self._winners)
        if not self.finals.trials(TrialState.WAITING):
            self._enqueue_finals(self._winners)
        self._finals_begun += 1
        return self.finals.ask(space)

    def _enqueue_finals(self, winners: list[int]) -> None:
        there = {trial.attributes[keys.SEED] for trial in self.finals.trials()}
        configurations = {trial.number: trial for trial in self.search.trials(TrialState.COMPLETE)}
        for number in winners:
            for repeat in range(self._settings.finals.seeds):
                seed = derived_seed(self._settings.seed, self.cell.key, "final", number, repeat)
                epochs = configurations[number].epochs
                attributes = {keys.SEED: seed, keys.CONFIGURATION: number, keys.EPOCHS: epochs}
                if keys.GENERATOR_FROM in configurations[number].attributes:
                    attributes[keys.GENERATOR_FROM] = configurations[number].attributes[keys.GENERATOR_FROM]
                if seed not in there:
                    self.finals.enqueue(configurations[number].params, attributes)
