"""All trials of a cell at once, as Optuna's own storage returns them; a ledger of thousands opens in a second."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from optuna.distributions import json_to_distribution
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, Engine, Select, bindparam, select

_trials = models.TrialModel.__table__
_TRIALS = (
    select(
        _trials.c.trial_id,
        _trials.c.number,
        _trials.c.state,
        _trials.c.datetime_start,
        _trials.c.datetime_complete,
    )
    .where(_trials.c.study_id == bindparam("its_study_id"))
    .order_by(_trials.c.trial_id)
)


def _belonging(model: type[models.BaseModel], order: str, *columns: str) -> Select[Any]:
    """The rows of a table that belong to trials of a study: a trial's id, then these columns."""
    table = model.metadata.tables[model.__tablename__]
    return (
        select(table.c.trial_id, *(table.c[name] for name in columns))
        .join(_trials, table.c.trial_id == _trials.c.trial_id)
        .where(_trials.c.study_id == bindparam("its_study_id"))
        .order_by(table.c[order])
    )


_PARAMS = _belonging(models.TrialParamModel, "param_id", "param_name", "param_value", "distribution_json")
_VALUES = _belonging(models.TrialValueModel, "objective", "value", "value_type")
_STEPS = _belonging(
    models.TrialIntermediateValueModel,
    "trial_intermediate_value_id",
    "step",
    "intermediate_value",
    "intermediate_value_type",
)
_USER_ATTRIBUTES = _belonging(models.TrialUserAttributeModel, "trial_user_attribute_id", "key", "value_json")
_SYSTEM_ATTRIBUTES = _belonging(
    models.TrialSystemAttributeModel, "trial_system_attribute_id", "key", "value_json"
)
_distribution = lru_cache(maxsize=None)(json_to_distribution)
_Row = tuple[Any, ...]
_Rows = Mapping[int, Sequence[_Row]]


def read_trials(engine: Engine, study_id: int) -> list[FrozenTrial]:
    """The trials of one of Optuna's studies, in the order in which they were begun."""
    of_study = {"its_study_id": study_id}
    with engine.connect() as connection:
        params, values, steps, user, system = (
            _by_trial(connection, rows, of_study)
            for rows in (_PARAMS, _VALUES, _STEPS, _USER_ATTRIBUTES, _SYSTEM_ATTRIBUTES)
        )
        return [
            _trial(tuple(row), *(part.get(row[0], ()) for part in (params, values, steps, user, system)))
            for row in connection.execute(_TRIALS, of_study)
        ]


def _by_trial(connection: Connection, rows: Select[Any], of_study: Mapping[str, int]) -> _Rows:
    found: dict[int, list[_Row]] = defaultdict(list)
    for row in connection.execute(rows, of_study):
        found[row[0]].append(tuple(row))
    return found


def _trial(
    row: _Row,
    params: Sequence[_Row],
    values: Sequence[_Row],
    steps: Sequence[_Row],
    user: Sequence[_Row],
    system: Sequence[_Row],
) -> FrozenTrial:
    trial_id, number, state, begun, ended = row
    kinds = {name: _distribution(text) for _, name, _, text in params}
    step_value = models.TrialIntermediateValueModel.stored_repr_to_intermediate_value
    return FrozenTrial(
        number,
        state,
        None,
        begun,
        ended,
        {name: kinds[name].to_external_repr(value) for _, name, value, _ in params},
        kinds,
        {key: json.loads(text) for _, key, text in user},
        {key: json.loads(text) for _, key, text in system},
        {step: step_value(value, kind) for _, step, value, kind in steps},
        trial_id,
        values=[models.TrialValueModel.stored_repr_to_value(value, kind) for _, value, kind in values]
        or None,
    )
