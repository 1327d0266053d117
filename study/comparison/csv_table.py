"""The summary table as CSV in full precision, how it is read back, and the trials behind it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.metrics import INDEX, KEPT, METRICS, OBJECTIVE, TRIVIAL
from study.comparison.finals import Evidence, Quantities
from study.comparison.summary import SECONDS, CellSummary, Trivial, beaten, surely_helps
from study.errors import UsageError

if TYPE_CHECKING:
    from study.statistics import Scope
    from study.tracking.record import StudyRecord
    from study.tracking.trial_record import TrialRecord

_COUNTS = ("trials", "complete", "pruned", "failed", "epochs", "final_epochs", "seeds")
_USAGE = ("weights", "multiply_adds", "milliseconds", "peak_bytes")
_TEXTS = ("external", "parameters", "objective", "model_uri")
_BOUNDS = ("", "_low", "_high")
_TRIAL = (
    "dataset",
    "architecture",
    "replicate",
    "number",
    "state",
    "seed",
    "epochs",
    "device_seconds",
    "best",
)
_ORIGIN = ("generator_from", "controls", "continues", "reason")


def write_table(trivial: Trivial, summaries: Sequence[CellSummary]) -> str:
    """One line per cell and trivial prediction: all metrics, the bounds in columns of their own."""
    columns, lines = table_lines(trivial, summaries)
    for line in lines:
        if "parameters" in line:
            line["parameters"] = json.dumps(line["parameters"])
    return _csv(columns, lines)


def table_lines(trivial: Trivial, summaries: Sequence[CellSummary]) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns, and the values of each cell and trivial prediction by column; the latter lack what they do not have."""
    metrics = _metrics(summaries)
    lines: list[dict[str, Any]] = [_cell_line(one) for one in summaries]
    for dataset, rows in trivial.items():
        for name, values in rows.items():
            known = {metric: value for metric, value in values.items() if metric in metrics}
            lines.append({"dataset": dataset, "model": name, **known})
    bounds = [f"{name}{part}" for name in metrics for part in _BOUNDS]
    return ["dataset", "model", *bounds, "validation", *_COUNTS, *SECONDS, *_USAGE, "device", *_TEXTS], lines


def _metrics(summaries: Sequence[CellSummary]) -> list[str]:
    """All metrics, those of plug-ins too, also where the plug-in itself is not at hand."""
    names = dict.fromkeys([*METRICS, *(name.removeprefix(KEPT) for one in summaries for name in one.test)])
    return [prefix + name for prefix in ("", KEPT) for name in names]


def _cell_line(one: CellSummary) -> dict[str, Any]:
    line = {
        name: getattr(one, name)
        for name in ("dataset", "validation", *_COUNTS, *SECONDS, "objective", "model_uri")
    }
    for name, interval in one.test.items():
        line |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return line | {
        "model": one.architecture,
        "parameters": one.parameters,
        "external": int(one.external),
        **one.usage,
    }


def read_table(path: Path) -> tuple[dict[str, dict[str, dict[str, float]]], list[CellSummary]]:
    """Trivial predictions and summaries from what `write_table` made.

    Raises:
        UsageError: If the file is not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            lines = [{name: _as_written(text) for name, text in line.items()} for line in reader]
        if not lines:
            raise ValueError("no lines")
        columns = reader.fieldnames or ()
        metrics = [name for name in columns if {f"{name}{part}" for part in _BOUNDS} <= set(columns)]
        trivial: dict[str, dict[str, dict[str, float]]] = {}
        for line in lines:
            if line["model"] in TRIVIAL:
                values = {name: float(line[name]) for name in metrics if line[name]}
                trivial.setdefault(line["dataset"], {})[line["model"]] = values
        return trivial, [_summary(line, trivial, metrics) for line in lines if line["model"] not in TRIVIAL]
    except OSError as error:
        raise UsageError(f"The table {path} cannot be read: {error.strerror}.") from None
    except KeyError as error:
        raise UsageError(f"{path} lacks {error.args[0]}; export it again, with this version.") from None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, csv.Error):
        # UnicodeDecodeError and JSONDecodeError are ValueErrors; lines that are too long have lists for texts
        raise UsageError(
            f"{path} is not a table of this software; give a file that `--format csv` wrote."
        ) from None


def _summary(line: Mapping[str, str], trivial: Trivial, metrics: Sequence[str]) -> CellSummary:
    from study.statistics import Interval

    objective = line.get("objective") or OBJECTIVE  # tables of earlier versions do not say
    scope: Scope = "architecture" if int(line["seeds"]) > 1 else "these configurations"
    test = {}
    for name in metrics:
        if line[name]:
            value, low, high = (float(line[name + part]) for part in _BOUNDS)
            test[name] = Interval(value, low, high, scope, method="read from a table")
    return CellSummary(
        dataset=line["dataset"],
        architecture=line["model"],
        parameters=json.loads(line["parameters"]),
        **{name: int(line[name]) for name in _COUNTS},  # type: ignore[arg-type]
        **{name: float(line[name]) for name in SECONDS if name != "device_seconds"},  # type: ignore[arg-type]
        validation=float(line["validation"]) if line["validation"] else None,
        test=test,
        beats=beaten(test, trivial[line["dataset"]], objective),
        model_uri=line["model_uri"],
        surely_helps=surely_helps(test, trivial[line["dataset"]], objective),
        objective=objective,
        external=line.get("external") == "1",
        usage={name: json.loads(line[name]) for name in _USAGE if line.get(name)}
        | {"device": line.get("device", "")},
    )


def write_trials(record: StudyRecord) -> str:
    """One line per trial and final: configuration, end, costs, and the objective after each epoch."""
    parameters = sorted({name for trial in record.trials for name in trial.params})
    columns = [*_TRIAL[:3], "stage", *_TRIAL[3:], *parameters, *_ORIGIN, "validation_by_epoch"]
    return _csv(columns, [_trial_line(record, trial) for trial in record.trials])


def _trial_line(record: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    curve = record.history(trial, f"validation/{record.objective}")
    values = [f"{value:.4f}" if math.isfinite(value) else "" for _, value in curve]
    return {
        **{name: getattr(trial, name) for name in (*_TRIAL, *_ORIGIN)},
        **trial.params,
        "stage": "search" if trial.role == "trial" else trial.role,
        "validation_by_epoch": " ".join(values),
    }


def write_evaluations(record: StudyRecord) -> str:
    """One line per test image and prediction, every metric raw and kept.

    `role` says whose prediction: of a `final` that a verdict rests on, of the `control` of that final, of an `external`
    program, or a `trivial` one. Whoever has these lines can compute every mean, interval and p-value of the report
    again.
    """
    evidence = Evidence(record)
    lines: list[dict[str, Any]] = []
    for (dataset, architecture), cell in evidence.cells.items():
        for final, quantities in zip(cell.finals, cell.evaluations, strict=True):
            lines += _trained_lines(evidence, "final", final, final.number, quantities)
        for control in record.controls(dataset, architecture):
            lines += _trained_lines(
                evidence, "control", control, control.controls, record.evaluation(control)
            )
    for dataset in dict.fromkeys(dataset for dataset, _ in evidence.cells):
        lines += _given_lines(dataset, "external", evidence.contestants(dataset))
        lines += _given_lines(dataset, "trivial", evidence.trivial(dataset))
    return _csv(list(dict.fromkeys(name for line in lines for name in line)), lines)


def _trained_lines(
    evidence: Evidence, role: str, trained: TrialRecord, final: int | None, quantities: Quantities
) -> list[dict[str, Any]]:
    dataset = trained.dataset
    facts, leaked = evidence.record.data["datasets"][dataset], set(evidence.leaks(dataset))
    files, labels = evidence.record.test_images(dataset, trained.replicate)
    columns = _columns(quantities)
    return [
        {
            "dataset": dataset,
            "architecture": trained.architecture,
            "role": role,
            "replicate": trained.replicate,
            "final": final,
            "collapsed": int(bool(trained.collapsed)),
            "image": int(position),
            "file": files[place] if files else "",
            "near_duplicate": int(int(position) in leaked),
            "category": facts["categories"][labels[place]] if labels and labels[place] >= 0 else "",
            **{name: values[place] for name, values in columns.items()},
        }
        for place, position in enumerate(quantities[INDEX])
    ]


def _given_lines(dataset: str, role: str, rows: Mapping[str, Quantities]) -> list[dict[str, Any]]:
    """The same of predictions that the study did not train; they have no replicate."""
    return [
        {"dataset": dataset, "architecture": name, "role": role, "image": int(position)}
        | {key: values[place] for key, values in columns.items()}
        for name, quantities in rows.items()
        for columns in [_columns(quantities)]
        for place, position in enumerate(quantities[INDEX])
    ]


def _columns(quantities: Quantities) -> dict[str, list[float]]:
    """One column per quantity, and one per bin of a histogram; each number in as few digits as tell it from others."""
    return {
        name if array.ndim == 1 else f"{name}_{number}": [float(str(value)) for value in column]
        for name, array in quantities.items()
        if name != INDEX
        for number, column in enumerate(np.atleast_2d(array.T))
    }


def _csv(columns: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in line.items()} for line in lines)
    return out.getvalue()


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _inert(value: Any) -> Any:
    """A text that a spreadsheet takes for no formula: it begins with an apostrophe if it must."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _as_written(text: object) -> str:
    """The text that `_inert` was given."""
    if not isinstance(text, str):
        raise ValueError("a line is shorter or longer than the others")
    return text[1:] if text and text.startswith(tuple(f"'{first}" for first in _FORMULA)) else text
