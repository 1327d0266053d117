"""Optuna's database storage without its repeated reading.

Optuna's own cache reads every unfinished trial anew, with all its values, whenever trials are asked for: the pruner
asks after every report, and with 64 trials at the same time that alone costs the driver tenths of a second. A study has
one driver, and while it runs nobody else writes to its trials, so it is enough to read again what it has changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import FrozenTrial, TrialState


class SoleWriterStorage(_CachedStorage):
    """A database whose trials are changed through this object alone as long as it is used.

    Every write goes to the database at once, as it does without a cache.

    Args:
        backend: The database.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend)
        self._read: set[int] = set()
        self._changed: set[int] = set()

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        if study_id not in self._read:
            super()._read_trials_from_remote_storage(study_id)
            self._read.add(study_id)
        for trial_id in [
            one for one in self._changed if self._trial_id_to_study_id_and_number[one][0] == study_id
        ]:
            self._add_trials_to_cache(study_id, [self._backend.get_trial(trial_id)])
            self._changed.discard(trial_id)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial; an unfinished one as a copy."""
        if trial_id not in self._trial_id_to_study_id_and_number:
            return super().get_trial(trial_id)
        self._read_trials_from_remote_storage(self._trial_id_to_study_id_and_number[trial_id][0])
        trial = self._cached(trial_id)
        return trial if trial.state.is_finished() else copy.deepcopy(trial)

    def _cached(self, trial_id: int) -> FrozenTrial:
        study_id, number = self._trial_id_to_study_id_and_number[trial_id]
        return self._studies[study_id].trials[number]

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Write a parameter."""
        super().set_trial_param(trial_id, param_name, param_value_internal, distribution)
        self._changed.add(trial_id)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Write a state."""
        changed = super().set_trial_state_values(trial_id, state, values)
        self._changed.add(trial_id)
        return changed

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Write the objective after an epoch."""
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)
        self._cached(trial_id).intermediate_values[step] = intermediate_value

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of ours."""
        super().set_trial_user_attr(trial_id, key, value)
        self._cached(trial_id).user_attrs[key] = json.loads(json.dumps(value))

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of Optuna's."""
        super().set_trial_system_attr(trial_id, key, value)
        self._cached(trial_id).system_attrs[key] = json.loads(json.dumps(value))
