"""One trial as MLflow has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.hyperparameters import Value, from_text
from study.search.trial_spec import TrialState
from study.tracking.names import BEST, DEVICE_SECONDS, EPOCHS, JOULES, KEY_TAG, STATUS

_STATES = {status: state for state, status in STATUS.items()}
_TEST = "test/"


@dataclass(frozen=True)
class TrialRecord:
    """One trial, or one final, as MLflow has it.

    Attributes:
        key: `dataset/architecture/number`.
        final: Whether it is the retraining of a winner rather than a trial of the search.
        params: Hyperparameters.
        best: Lowest validation objective, None if it never reported.
        joules: Energy of its epochs, None if the device did not report it.
        test: A complete final's metrics on the test split; `kept_…` with the input's luminance.
        generator_from: Number of the parent cell's trial whose weights started the generator.
        continues: Number of the complete trial of the same cell that it continues, in an extended study.
        started: Milliseconds since 1970.
        ended: Likewise; None while it is running.
    """

    key: str
    run_id: str
    dataset: str
    architecture: str
    final: bool
    number: int
    state: TrialState
    reason: str
    params: dict[str, Value]
    seed: int
    generator_from: int | None
    continues: int | None
    best: float | None
    epochs: int
    device_seconds: float
    joules: float | None
    test: dict[str, float]
    started: int
    ended: int | None


def trial_record(run: Any) -> TrialRecord:
    """Read an MLflow run that stands for a trial or a final."""
    tags, metrics = run.data.tags, run.data.metrics
    generator_from = tags.get("generator_from")
    return TrialRecord(
        key=tags[KEY_TAG],
        run_id=run.info.run_id,
        dataset=tags["dataset"],
        architecture=tags["architecture"],
        final=tags["role"] == "final",
        number=int(tags["number"]),
        state=_STATES.get(str(run.info.status), TrialState.RUNNING),
        reason=tags.get("reason", ""),
        params={name: from_text(value) for name, value in run.data.params.items()},
        seed=int(tags["seed"]),
        generator_from=None if generator_from is None else int(generator_from),
        continues=int(tags["continues"]) if "continues" in tags else None,
        best=metrics.get(BEST),
        epochs=int(metrics.get(EPOCHS, 0)),
        device_seconds=metrics.get(DEVICE_SECONDS, 0.0),
        joules=metrics.get(JOULES),
        test={name.removeprefix(_TEST): value for name, value in metrics.items() if name.startswith(_TEST)},
        started=run.info.start_time,
        ended=run.info.end_time,
    )
