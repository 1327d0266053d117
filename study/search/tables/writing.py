"""Optuna's database storage without its repeated reads, and without an object mapper behind its writes.

Optuna's own cache reads every unfinished trial again, with all its values, whenever trials are requested: the pruner
does so after every report, and with 64 concurrent trials that alone costs the driver tenths of a second. Each write
first reads the trial through the object mapper, at several times the cost of the write. A study has one driver, and
while it runs nothing else writes to its trials: they are read once, and no write has to look anything up. The tables
and their contents are Optuna's own.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import BaseDistribution, check_distribution_compatibility, distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState

from study.errors import StudyError
from study.search.tables.reading import read_trials
from study.search.tables.statements import (
    LOCK_STUDY,
    NEXT_TRIAL,
    NUMBER,
    PARAMS,
    STEPS,
    SYSTEM_ATTRIBUTES,
    TRIALS,
    USER_ATTRIBUTES,
    VALUES,
    Table,
)


class SoleWriterStorage(_CachedStorage):
    """A database whose trials are changed only through this object while it is in use.

    Every write is committed, and then cached, before the call returns.

    Args:
        backend: The database.
        check: Called before every write; raises if another driver has taken the study over.
    """

    def __init__(self, backend: RDBStorage, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(backend)
        self._check = check
        self._read: set[int] = set()
        self._unfinished: dict[int, set[int]] = defaultdict(set)
        self._study_attributes: dict[int, dict[str, Any]] = {}

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        if study_id not in self._read:
            self._studies.setdefault(study_id, _StudyInfo())
            self._add_trials_to_cache(study_id, read_trials(self._backend.engine, study_id))
            self._read.add(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Attributes of a cell."""
        if study_id not in self._study_attributes:
            self._study_attributes[study_id] = super().get_study_user_attrs(study_id)
        return copy.deepcopy(self._study_attributes[study_id])

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Remember something of a cell."""
        super().set_study_user_attr(study_id, key, value)
        self._study_attributes.pop(study_id, None)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Trials by number, the order in which they were begun and read."""
        self._read_trials_from_remote_storage(study_id)
        trials = self._studies[study_id].trials
        if states is None:
            found = list(trials.values())
        elif any(state in states for state in TrialState if state.is_finished()):
            found = [trial for trial in trials.values() if trial.state in states]
        else:  # of thousands, only a few are waiting or running
            unfinished = (trials[number] for number in sorted(self._unfinished[study_id]))
            found = [trial for trial in unfinished if trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _add_trials_to_cache(self, study_id: int, trials: list[FrozenTrial]) -> None:
        super()._add_trials_to_cache(study_id, trials)
        self._unfinished[study_id] |= {one.number for one in trials if not one.state.is_finished()}

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial; an unfinished one as a copy."""
        if trial_id not in self._trial_id_to_study_id_and_number:
            return super().get_trial(trial_id)
        trial = self._cached(trial_id)
        return trial if trial.state.is_finished() else copy.deepcopy(trial)

    def _cached(self, trial_id: int) -> FrozenTrial:
        study_id, number = self._trial_id_to_study_id_and_number[trial_id]
        return self._studies[study_id].trials[number]

    def _updatable(self, trial_id: int) -> FrozenTrial:
        trial = self._cached(trial_id)
        self.check_trial_is_updatable(trial_id, trial.state)
        return trial

    def _write(self, *writes: tuple[Any, dict[str, Any]]) -> None:
        self._check()
        with self._backend.engine.begin() as connection:
            for statement, values in writes:
                connection.execute(statement, values)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Begin a trial, or add the one that is given."""
        self._read_trials_from_remote_storage(study_id)
        if template_trial is not None:
            return super().create_new_trial(study_id, template_trial)
        self._check()
        now = datetime.now()
        row = {"its_study_id": study_id, "now": _utc(now)}
        with self._backend.engine.begin() as connection:
            connection.execute(LOCK_STUDY, {"its_study_id": study_id})
            trial_id: int = connection.execute(NEXT_TRIAL, row).inserted_primary_key[0]  # type: ignore[index]
            number: int = connection.execute(NUMBER, {"its_trial_id": trial_id}).scalar_one()
            if number != len(self._studies[study_id].trials):
                raise StudyError(
                    "Another driver has begun trials in this ledger; see who runs the study, and go on with --resume."
                )
        trial = FrozenTrial(number, TrialState.RUNNING, None, now, None, {}, {}, {}, {}, {}, trial_id)
        self._add_trials_to_cache(study_id, [trial])
        return trial_id

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Write a parameter."""
        trial = copy.copy(self._updatable(trial_id))
        study_id, number = self._trial_id_to_study_id_and_number[trial_id]
        trials = self._studies[study_id].trials
        same = (one.distributions[param_name] for one in trials.values() if param_name in one.distributions)
        check_distribution_compatibility(next(same, distribution), distribution)
        row = {
            "trial_id": trial_id,
            "param_name": param_name,
            "param_value": param_value_internal,
            "distribution_json": distribution_to_json(distribution),
        }
        self._write(PARAMS.write(row, there=param_name in trial.params))
        trial.params = {**trial.params, param_name: distribution.to_external_repr(param_value_internal)}
        trial.distributions = {**trial.distributions, param_name: distribution}
        trials[number] = trial

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Write a state, and with it the values of a finished trial."""
        trial, now = copy.copy(self._updatable(trial_id)), datetime.now()
        if state is TrialState.RUNNING and trial.state is not TrialState.WAITING:
            return False
        row: dict[str, Any] = {"trial_id": trial_id, "state": state}
        if state is TrialState.RUNNING:
            row["datetime_start"], trial.datetime_start = _utc(now), now
        if state.is_finished():
            row["datetime_complete"], trial.datetime_complete = _utc(now), now
        writes = [TRIALS.write(row, there=True)]
        for objective, value in enumerate(values or ()):
            stored, kind = models.TrialValueModel.value_to_stored_repr(value)
            row = {"trial_id": trial_id, "objective": objective, "value": stored, "value_type": kind}
            writes.append(VALUES.write(row, there=trial.values is not None))
        self._write(*writes)
        trial.state = state
        trial.values = None if values is None else list(values)
        study_id, number = self._trial_id_to_study_id_and_number[trial_id]
        if state.is_finished():
            self._unfinished[study_id].discard(number)
        self._studies[study_id].trials[number] = trial
        return True

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Write the objective after an epoch."""
        trial = self._updatable(trial_id)
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(
            intermediate_value
        )
        row = {
            "trial_id": trial_id,
            "step": step,
            "intermediate_value": stored,
            "intermediate_value_type": kind,
        }
        self._write(STEPS.write(row, there=step in trial.intermediate_values))
        trial.intermediate_values[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of the study's."""
        self._write_attribute(USER_ATTRIBUTES, trial_id, self._updatable(trial_id).user_attrs, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of Optuna's; trials that were read before do not change.

        Successive halving reads the trials, writes the trial's rung, and then counts it beside those it has read.
        """
        trial = copy.copy(self._updatable(trial_id))
        trial.system_attrs = dict(trial.system_attrs)
        self._write_attribute(SYSTEM_ATTRIBUTES, trial_id, trial.system_attrs, key, value)
        study_id, number = self._trial_id_to_study_id_and_number[trial_id]
        self._studies[study_id].trials[number] = trial

    def _write_attribute(
        self, table: Table, trial_id: int, attributes: dict[str, Any], key: str, value: Any
    ) -> None:
        text = json.dumps(value)
        self._write(
            table.write({"trial_id": trial_id, "key": key, "value_json": text}, there=key in attributes)
        )
        attributes[key] = json.loads(text)


def _utc(moment: datetime) -> datetime:
    """Local time as Optuna stores it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
