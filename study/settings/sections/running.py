"""Where a study runs and what it may use there, and where people look."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from study.errors import holds_secret
from study.settings.sections.section import Section


def _without_password(uri: str | None) -> str | None:
    if uri and holds_secret(uri):
        raise ValueError(
            "holds a password, and settings are written to disk and logged; take it out of the address and "
            "give it in the environment (PGPASSWORD, MLFLOW_TRACKING_PASSWORD, AWS_SECRET_ACCESS_KEY)"
        )
    return uri


def _interval(every: int | str) -> int | str:
    good = every > 0 if isinstance(every, int) else re.fullmatch(r"[1-9]\d*min", every)
    if not good:
        raise ValueError("give a number of epochs, or of minutes as in 10min")
    return every


Address = Annotated[str, AfterValidator(_without_password)]
Interval = Annotated[int | str, AfterValidator(_interval)]


class ResourceSettings(Section):
    """What a trial takes and what the cluster bears."""

    cpus_per_trial: float = Field(1, gt=0, description="CPUs of one trial, also its threads")
    gpus_per_trial: float | None = Field(
        None,
        ge=0,
        description="number that train a trial together, or the fraction of one that it may use, memory included; "
        "default 1 where there are",
    )
    max_concurrent_trials: int | None = Field(None, ge=1, description="default: as many as there is room for")
    max_failures: int = Field(2, ge=0, description="retries of a trial whose process or node died")
    max_failed_share: float = Field(
        0.5, gt=0, le=1, description="a cell stops when more than this share of its trials failed"
    )
    checkpoint_every: Interval = Field(
        1, description="between two checkpoints of a trial: epochs, or minutes (`10min`)"
    )

    @property
    def checkpoint_minutes(self) -> int | None:
        """Minutes between two checkpoints, if they are not counted in epochs."""
        every = self.checkpoint_every
        return int(every.removesuffix("min")) if isinstance(every, str) else None


class TrackingSettings(Section):
    """Where people look."""

    uri: Address | None = Field(
        None, description="MLflow server; default an SQLite file in the study's folder"
    )
    pictures_per_trial: int = Field(4, ge=0, description="how often a trial logs its sample images")
    system_metrics: bool = Field(
        False,
        description="log the use of CPU, memory and GPUs while trials train, as MLflow's system metrics",
    )
    whole_paths: bool = Field(False, description="name this machine's folders in MLflow and the report")
