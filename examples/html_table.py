"""An export format in one file: the summary table as HTML, to paste into a page.

python -m study.export --name demo --plugin examples/html_table.py --output table.html
"""

from html import escape

from study.comparison.formats import Format, register_format
from study.comparison.summary import CellSummary, Trivial
from study.comparison.table import HEADINGS, table_rows


def html_table(trivial: Trivial, summaries: list[CellSummary]) -> str:
    """One row per cell and trivial prediction, with the columns of the report's table."""
    rows = [HEADINGS, *table_rows(trivial, summaries)]
    lines = [
        "<tr>" + "".join(f"<td>{escape(row.get(column, ''))}</td>" for column in HEADINGS) + "</tr>"
        for row in rows
    ]
    return "\n".join(["<table>", *lines, "</table>", ""])


register_format(Format("html", html_table, ".html"))
