"""The statements that write to Optuna's tables, built and compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy import bindparam, func, insert, select, update


class Table:
    """One of Optuna's tables, with statements that are built and compiled once.

    Args:
        model: Optuna's model of the table.
        key: Columns that identify a row.
    """

    def __init__(self, model: type[models.BaseModel], *key: str) -> None:
        table = model.metadata.tables[model.__tablename__]
        self.insert = insert(table)
        self.update = update(table).where(*(table.c[name] == bindparam(f"its_{name}") for name in key))
        self._key = key

    def write(self, row: Mapping[str, Any], *, there: bool) -> tuple[Any, dict[str, Any]]:
        """Statement and values that insert a row, or update the one that is there."""
        if there:
            return self.update, {f"its_{name}" if name in self._key else name: row[name] for name in row}
        return self.insert, dict(row)


TRIALS = Table(models.TrialModel, "trial_id")
_trials, _studies = (one.metadata.tables[one.__tablename__] for one in (models.TrialModel, models.StudyModel))
LOCK_STUDY = (
    select(_studies.c.study_id).where(_studies.c.study_id == bindparam("its_study_id")).with_for_update()
)
_before = _trials.alias()
_LAST = (
    select(_before.c.number)
    .where(_before.c.study_id == bindparam("its_study_id"))
    .order_by(_before.c.trial_id.desc())
    .limit(1)
)
NEXT_TRIAL = insert(_trials).values(
    study_id=bindparam("its_study_id"),
    state=TrialState.RUNNING,
    datetime_start=bindparam("now"),
    number=func.coalesce(_LAST.scalar_subquery(), -1) + 1,
)
NUMBER = select(_trials.c.number).where(_trials.c.trial_id == bindparam("its_trial_id"))
PARAMS = Table(models.TrialParamModel, "trial_id", "param_name")
VALUES = Table(models.TrialValueModel, "trial_id", "objective")
STEPS = Table(models.TrialIntermediateValueModel, "trial_id", "step")
USER_ATTRIBUTES = Table(models.TrialUserAttributeModel, "trial_id", "key")
SYSTEM_ATTRIBUTES = Table(models.TrialSystemAttributeModel, "trial_id", "key")
