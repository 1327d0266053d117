"""One cell's part of the ledger: the trials of its search, its finals or its controls, in an Optuna study."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from models.hyperparameters import Space
from study.search.attributes import DEVICE_SECONDS, NODES, REASON, TEST
from study.search.cells import Cell, Stage, derived_seed
from study.search.search_space import complete, suggest
from study.search.strategies.pruners import make_pruner
from study.search.strategies.samplers import make_sampler
from study.search.trial_spec import LedgerTrial, Parameters, TrialState
from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.schema import StudySettings


class CellLedger:
    """The trials of one cell at one stage.

    Args:
        storage: From `study.search.database.open_storage`.
        settings: The study that the cell belongs to.
        cell: The cell.
        stage: Search, finals or controls.
    """

    def __init__(self, storage: BaseStorage, settings: StudySettings, cell: Cell, stage: Stage) -> None:
        self._storage = storage
        self._settings = settings
        self._cell = cell
        self._study = optuna.create_study(
            study_name=f"{settings.name}/{cell.key}" + ("" if stage is Stage.SEARCH else f"/{stage}s"),
            storage=storage,
            direction="minimize",
            pruner=make_pruner(settings.search, cell.epochs),
            load_if_exists=True,
        )
        self._name_the_objective()
        self._running: dict[int, FrozenTrial] = {}
        for trial in self._read(TrialState.RUNNING):
            self._running[trial.number] = storage.get_trial(trial._trial_id)

    def _name_the_objective(self) -> None:
        """Label the axes of optuna-dashboard."""
        if self._study.metric_names is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self._study.set_metric_names([self._settings.objective])

    def _read(self, *states: TrialState) -> list[FrozenTrial]:
        wanted = tuple(optuna.trial.TrialState[state] for state in states)
        return self._study.get_trials(deepcopy=False, states=wanted or None)

    def trials(self, *states: TrialState) -> list[LedgerTrial]:
        """Trials in the given states (all, if none is given), by number."""
        return [ledger_trial(trial) for trial in self._read(*states)]

    @property
    def empty(self) -> bool:
        """Whether there is no trial yet, not even a waiting one."""
        return not self._read()

    @property
    def attributes(self) -> dict[str, Any]:
        """What the ledger keeps with the cell as a whole."""
        return self._study.user_attrs

    def remember(self, key: str, value: Any) -> None:
        """Keep a value with the cell as a whole."""
        self._study.set_user_attr(key, value)

    def enqueue(self, params: Parameters, attributes: dict[str, Any] | None = None) -> None:
        """Queue a trial with these parameters and attributes, ahead of what the sampler proposes."""
        self._study.enqueue_trial(dict(params), user_attrs=attributes)

    def ask(self, space: Space) -> LedgerTrial:
        """Begin the next trial: an enqueued one, or what the sampler proposes."""
        self._study.sampler = self._sampler(len(self._read()), space)
        trial = self._study.ask()
        suggest(trial, space)
        return self._begun(trial._trial_id)

    def complete_parameters(self, number: int, space: Space) -> LedgerTrial:
        """Give an interrupted trial the parameters that a crash in the middle of `ask` kept from it."""
        if complete(space, self._running[number].params):
            return ledger_trial(self._running[number])
        self._study.sampler = self._sampler(number, space)
        trial = optuna.trial.Trial(self._study, self._running[number]._trial_id)
        suggest(trial, space)
        return self._begun(trial._trial_id)

    def _begun(self, trial_id: int) -> LedgerTrial:
        trial = self._storage.get_trial(trial_id)
        self._running[trial.number] = trial
        return ledger_trial(trial)

    def _sampler(self, number: int, space: Space) -> optuna.samplers.BaseSampler:
        # The storage does not hold a sampler's random state, so every trial has a sampler seeded by its number.
        # A quasi-random sequence, however, must stay one sequence; Optuna stores the position in it.
        search, seed = self._settings.search, self._settings.seed
        names = () if SAMPLERS.find(search.sampler).one_sequence else (number,)
        return make_sampler(search, space, derived_seed(seed, self._cell.key, "sampler", *names))

    def report(self, number: int, epoch: int, value: float) -> None:
        """Record the objective after an epoch; a value that is already there is kept."""
        trial = self._running[number]
        if epoch in trial.intermediate_values:
            return
        self._storage.set_trial_intermediate_value(trial._trial_id, epoch, value)
        trial.intermediate_values[epoch] = value

    def should_prune(self, number: int) -> bool:
        """Ask Optuna's pruner about a RUNNING trial after its last report."""
        pruner, trial = self._study.pruner, self._running[number]
        prune = pruner.prune(optuna.pruners._filter_study(self._study, trial), trial)
        if PRUNERS.find(self._settings.search.pruner).keeps_rungs:  # in the trial's attributes
            trial.system_attrs = self._storage.get_trial(trial._trial_id).system_attrs
        return prune

    def annotate(self, number: int, key: str, value: Any) -> None:
        """Keep a value with a RUNNING trial."""
        trial = self._running[number]
        self._storage.set_trial_user_attr(trial._trial_id, key, value)
        trial.user_attrs[key] = value

    def nodes(self, number: int) -> list[str]:
        """Addresses of the nodes that a RUNNING trial ran on, in order."""
        return list(self._running[number].user_attrs.get(NODES, []))

    def best_value(self, number: int) -> float:
        """Lowest objective that a RUNNING trial reported."""
        return min(self._running[number].intermediate_values.values(), default=math.inf)

    def last_epoch(self, number: int) -> int:
        """The last epoch that a RUNNING trial reported, be it to an earlier driver; 0 if none."""
        return max(self._running[number].intermediate_values, default=0)

    def finish(
        self, number: int, state: TrialState, *, reason: str = "", device_seconds: float = 0.0
    ) -> None:
        """End a RUNNING trial.

        A COMPLETE trial has its best value, since the best epoch's weights are the ones that are kept; a PRUNED one has
        its last value (Optuna's rule); a FAILed one has a reason only.
        """
        if reason or REASON in self._running[number].user_attrs:  # of an end that the database did not take
            self.annotate(number, REASON, reason)
        self.annotate(number, DEVICE_SECONDS, device_seconds)
        value = self.best_value(number) if state is TrialState.COMPLETE else None
        self._study.tell(number, value, optuna.trial.TrialState[state])
        del self._running[number]

    def record_test(self, number: int, summary: Mapping[str, float]) -> None:
        """Record a RUNNING final's metrics on the test split; those that are already there are kept."""
        if TEST not in self._running[number].user_attrs:
            self.annotate(number, TEST, dict(summary))


def ledger_trial(trial: FrozenTrial) -> LedgerTrial:
    """Optuna's trial as the study sees it."""
    return LedgerTrial(
        trial.number,
        TrialState[trial.state.name],
        dict(trial.params),
        dict(trial.intermediate_values),
        dict(trial.user_attrs),
    )
