"""The summary table as CSV, Markdown, LaTeX or JSON."""

from __future__ import annotations

import json

from study.comparison.csv_table import write_table
from study.comparison.summary import CellSummary, Trivial
from study.comparison.table import HEADINGS, table_rows

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


def render(trivial: Trivial, summaries: list[CellSummary], form: str) -> str:
    """The table in one of `FORMATS`."""
    match form:
        case "csv":
            return write_table(trivial, summaries)
        case "markdown":
            return _markdown(trivial, summaries)
        case "latex":
            return _latex(trivial, summaries)
    rows = [{**one.as_json(), "trivial": trivial[one.dataset]} for one in summaries]
    return json.dumps(rows, indent=2) + "\n"


def _markdown(trivial: Trivial, summaries: list[CellSummary]) -> str:
    lines = ["| " + " | ".join(HEADINGS.values()) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in table_rows(trivial, summaries):
        lines.append("| " + " | ".join(row.get(column, "") for column in HEADINGS) + " |")
    return "\n".join(lines) + "\n"


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
