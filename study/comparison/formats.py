"""The formats that the summary table is exported in: CSV, Markdown, LaTeX, JSON, and those of plug-ins."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.registry import Table
from study.comparison.csv_table import write_table
from study.comparison.summary import CellSummary, Trivial
from study.comparison.table import HEADINGS, table_rows
from study.errors import UsageError

_LATEX = {
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\to$",
}
_LATEX |= {"Δ": r"$\Delta$", "₀": r"$_0$", "–": "--"}


@dataclass(frozen=True)
class Format:
    """One way to write the summary table.

    Attributes:
        name: The word behind `--format`.
        render: Takes the trivial predictions' metrics (by dataset and name) and one row per cell, returns the text.
        suffix: Of its files, with the dot; `--output` chooses the format by it.
    """

    name: str
    render: Callable[[Trivial, list[CellSummary]], str]
    suffix: str


def render(trivial: Trivial, summaries: list[CellSummary], form: str) -> str:
    """The table in one of `FORMATS`.

    Raises:
        UsageError: For a format that is none of them.
    """
    if form not in FORMATS:
        raise UsageError(f"There is no export format {form!r}; there are {', '.join(FORMATS)}.")
    return FORMATS[form].render(trivial, summaries)


def format_of(path: Path) -> str:
    """The format whose suffix a file's name has; Markdown if none has it."""
    return next((one.name for one in FORMATS.values() if one.suffix == path.suffix), "markdown")


def _json(trivial: Trivial, summaries: list[CellSummary]) -> str:
    rows = [{**one.as_json(), "trivial": trivial[one.dataset]} for one in summaries]
    return json.dumps(rows, indent=2) + "\n"


def _markdown(trivial: Trivial, summaries: list[CellSummary]) -> str:
    lines = ["| " + " | ".join(HEADINGS.values()) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in table_rows(trivial, summaries):
        lines.append("| " + " | ".join(_one_cell(row.get(column, "")) for column in HEADINGS) + " |")
    return "\n".join(lines) + "\n"


def _one_cell(text: str) -> str:
    """Neither a bar nor a line break ends a cell of Markdown."""
    return " ".join(text.replace("|", r"\|").split())


def _latex(trivial: Trivial, summaries: list[CellSummary]) -> str:
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
    for row in table_rows(trivial, summaries):
        lines.append(" & ".join(_escape(row.get(column, "")) for column in HEADINGS) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{document}"]) + "\n"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


FORMATS = Table(
    "export format",
    [
        Format("csv", write_table, ".csv"),
        Format("markdown", _markdown, ".md"),
        Format("latex", _latex, ".tex"),
        Format("json", _json, ".json"),
    ],
)
register_format = FORMATS.register
