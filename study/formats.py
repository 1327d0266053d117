"""The summary table as CSV, Markdown, LaTeX or JSON."""

from __future__ import annotations

import csv
import io
import json

from models.metrics import METRICS
from study.evaluation import KEPT
from study.record import StudyRecord
from study.summary import CellSummary
from study.table import HEADINGS, table_rows

FORMATS = ("csv", "markdown", "latex", "json")
_LATEX = {
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\to$",
}
_LATEX |= {"Δ": r"$\Delta$", "₀": r"$_0$", "–": "--"}


def render(record: StudyRecord, summaries: list[CellSummary], form: str) -> str:
    """The table in one of `FORMATS`."""
    match form:
        case "csv":
            return _csv(record, summaries)
        case "markdown":
            return _markdown(record, summaries)
        case "latex":
            return _latex(record, summaries)
    rows = [{**one.as_json(), "trivial": record.trivial[one.dataset]} for one in summaries]
    return json.dumps(rows, indent=2) + "\n"


def _csv(record: StudyRecord, summaries: list[CellSummary]) -> str:
    """One line per cell and trivial prediction, all metrics in full precision, bounds in columns of their own."""
    metrics = [prefix + name for prefix in ("", KEPT) for name in METRICS]
    bounds = [f"{name}{part}" for name in metrics for part in ("", "_low", "_high")]
    facts = [
        "trials",
        "complete",
        "pruned",
        "failed",
        "epochs",
        "device_seconds",
        "pretraining_seconds",
        "seeds",
    ]
    out = io.StringIO()
    columns = ["dataset", "model", *bounds, "validation", *facts, "parameters", "model_uri"]
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for one in summaries:
        row = {
            "dataset": one.dataset,
            "model": one.architecture,
            **{name: getattr(one, name) for name in facts},
        }
        for name, interval in one.test.items():
            row |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        row |= {
            "validation": one.validation,
            "parameters": json.dumps(one.parameters),
            "model_uri": one.model_uri,
        }
        writer.writerow(row)
    for dataset, rows in record.trivial.items():
        for name, values in rows.items():
            known = {metric: value for metric, value in values.items() if metric in metrics}
            writer.writerow({"dataset": dataset, "model": name, **known})
    return out.getvalue()


def _markdown(record: StudyRecord, summaries: list[CellSummary]) -> str:
    lines = ["| " + " | ".join(HEADINGS.values()) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in table_rows(record, summaries):
        lines.append("| " + " | ".join(row.get(column, "") for column in HEADINGS) + " |")
    return "\n".join(lines) + "\n"


def _latex(record: StudyRecord, summaries: list[CellSummary]) -> str:
    """A document that compiles on its own; the table can be cut out of it."""
    lines = [
        r"\documentclass{standalone}",
        r"\usepackage{booktabs}",
        r"\begin{document}",
        r"\begin{tabular}{" + "l" * len(HEADINGS) + "}",
        r"\toprule",
        " & ".join(_escape(heading) for heading in HEADINGS.values()) + r" \\",
        r"\midrule",
    ]
    for row in table_rows(record, summaries):
        lines.append(" & ".join(_escape(row.get(column, "")) for column in HEADINGS) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{document}"]) + "\n"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
