"""One trial as MLflow has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.hyperparameters import Value, from_text
from study.search.trial_spec import TrialState
from study.tracking.names import (
    BEST,
    COLLAPSED_METRIC,
    CONTROLS,
    DEVICE_SECONDS,
    EPOCHS,
    FIXED_PARAMS,
    JOULES,
    KEY_TAG,
    REASON_TAG,
    REPLICATE,
    STATUS,
)

_STATES = {status: state for state, status in STATUS.items()}
_TEST = "test/"


@dataclass(frozen=True)
class TrialRecord:
    """One trial, final or control, as MLflow has it.

    Attributes:
        key: As `study.search.trial_spec.trial_key` spells it.
        experiment_id: Of the study, in MLflow.
        role: `trial` of the search, `final`, or `control`.
        replicate: From 1; numbers of trials count within a replicate.
        params: Hyperparameters.
        best: Lowest validation objective, None if it never reported.
        joules: Energy of its epochs, None if the device did not report it.
        test: A complete final's metrics on the test split; `kept_…` with the input's luminance.
        generator_from: Number of the parent cell's trial, of the same replicate, whose weights started the generator.
        controls: Number of the final that a control stands beside.
        collapsed: Whether a final or control collapsed on the validation images; None where that was not measured.
        continues: Number of the complete trial of the same cell that it continues, in an extended study.
        started: Milliseconds since 1970.
        ended: Likewise; None while it is running.
    """

    key: str
    run_id: str
    experiment_id: str
    dataset: str
    architecture: str
    role: str
    replicate: int
    number: int
    state: TrialState
    reason: str
    params: dict[str, Value]
    seed: int
    generator_from: int | None
    controls: int | None
    continues: int | None
    best: float | None
    epochs: int
    device_seconds: float
    joules: float | None
    test: dict[str, float]
    collapsed: bool | None
    started: int
    ended: int | None

    @property
    def final(self) -> bool:
        """Whether it is the retraining of a winner rather than a trial of the search."""
        return self.role == "final"

    @property
    def control(self) -> bool:
        """Whether it is the control of a final."""
        return self.role == "control"


def trial_record(run: Any) -> TrialRecord:
    """Read an MLflow run that stands for a trial, a final or a control."""
    tags, metrics = run.data.tags, run.data.metrics
    return TrialRecord(
        key=tags[KEY_TAG],
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        dataset=tags["dataset"],
        architecture=tags["architecture"],
        role=tags["role"],
        replicate=int(tags.get(REPLICATE, 1)),
        number=int(tags["number"]),
        state=_STATES.get(str(run.info.status), TrialState.RUNNING),
        reason=tags.get(REASON_TAG, ""),
        params={
            name: from_text(value)
            for name, value in run.data.params.items()
            if not name.startswith(FIXED_PARAMS)
        },
        seed=int(tags["seed"]),
        generator_from=_number(tags, "generator_from"),
        controls=_number(tags, CONTROLS),
        continues=_number(tags, "continues"),
        best=next((value for name, value in metrics.items() if name.startswith(BEST)), None),
        epochs=int(metrics.get(EPOCHS, 0)),
        device_seconds=metrics.get(DEVICE_SECONDS, 0.0),
        joules=metrics.get(JOULES),
        test={name.removeprefix(_TEST): value for name, value in metrics.items() if name.startswith(_TEST)},
        collapsed=bool(metrics[COLLAPSED_METRIC]) if COLLAPSED_METRIC in metrics else None,
        started=run.info.start_time,
        ended=run.info.end_time,
    )


def _number(tags: Mapping[str, str], name: str) -> int | None:
    return int(tags[name]) if name in tags else None
