"""A study's results as pandas frames, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.metrics import INDEX
from study.comparison.csv_table import table_lines
from study.comparison.summary import CellSummary

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord
    from study.tracking.trial_record import TrialRecord

_OF_CELLS = [one.name for one in fields(CellSummary) if one.name not in ("test", "beats")]
_WHOLE = ("generator_from", "controls", "continues")
_TIMES = ("started", "ended")
_OF_TRIALS = (
    "dataset",
    "architecture",
    "replicate",
    "number",
    "state",
    "seed",
    "epochs",
    "device_seconds",
    "joules",
    "best",
)


def cells_frame(summaries: Sequence[CellSummary]) -> pd.DataFrame:
    """One row per cell: trials by state, costs, best configuration. See `CellSummary` for the columns."""
    return pd.DataFrame(
        [{name: getattr(one, name) for name in _OF_CELLS} for one in summaries], columns=_OF_CELLS
    )


def summary_frame(record: StudyRecord, summaries: Sequence[CellSummary]) -> pd.DataFrame:
    """The summary table: a row per cell and trivial prediction, every metric with its 95 % interval."""
    columns, lines = table_lines(record.trivial, summaries)
    return pd.DataFrame(lines, columns=columns)


def trials_frame(trials: Sequence[TrialRecord], test: Sequence[str] = ()) -> pd.DataFrame:
    """One row per trial: how it ended, its hyperparameters, its costs.

    Args:
        trials: In the order of the rows.
        test: Metrics on the test split that get a column, `test/NAME`.
    """
    parameters = list(dict.fromkeys(name for trial in trials for name in trial.params))
    measured = [f"test/{name}" for name in test]
    columns = [*_OF_TRIALS, *parameters, *measured, *_WHOLE, *_TIMES, "reason", "key", "run_id"]
    frame = pd.DataFrame([_trial_row(trial) for trial in trials], columns=columns)
    for name in _TIMES:
        frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame.astype(dict.fromkeys(_WHOLE, "Int64"))


def _trial_row(trial: TrialRecord) -> dict[str, Any]:
    measured = {f"test/{name}": value for name, value in trial.test.items()}
    return {**asdict(trial), "state": str(trial.state), **trial.params, **measured}


def curves_frame(record: StudyRecord, metric: str) -> pd.DataFrame:
    """One row per epoch at which a trial or final reported the metric."""
    columns = ["dataset", "architecture", "replicate", "role", "number", "state", "epoch", metric]
    rows = [
        (one.dataset, one.architecture, one.replicate, one.role, one.number, str(one.state), epoch, value)
        for one in record.trials
        for epoch, value in record.history(one, metric)
    ]
    return pd.DataFrame(rows, columns=columns)


def evaluations_frame(record: StudyRecord) -> pd.DataFrame:
    """One row per test image and complete final, with every quantity that is one number."""
    finals = [final for cell in record.cells for final in record.finals(*cell)]
    frames = [_evaluation(record, final) for final in finals]
    empty = pd.DataFrame(columns=["dataset", "architecture", "replicate", "final", "image"])
    return pd.concat(frames, ignore_index=True) if frames else empty


def _evaluation(record: StudyRecord, final: TrialRecord) -> pd.DataFrame:
    quantities = record.evaluation(final)
    positions = quantities.pop(INDEX)
    # Studies of early versions did not record the names of their test images.
    files, _ = record.test_images(final.dataset, final.replicate)
    values = {name: value for name, value in quantities.items() if value.ndim == 1}
    whose = {
        "dataset": final.dataset,
        "architecture": final.architecture,
        "replicate": final.replicate,
        "final": final.number,
    }
    return pd.DataFrame({**whose, "image": files or positions, **values})
