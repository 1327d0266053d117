"""The last words of a study: the summary table, and where to look further."""

from __future__ import annotations

import shlex

from rich import box
from rich.console import Console
from rich.table import Table

from models.metrics import OBJECTIVE
from study.config import StudySettings
from study.home import StudyHome
from study.record import StudyRecord
from study.summary import CellSummary, summarise_study
from study.table import HEADINGS, table_rows

_COLUMNS = ("dataset", "model", OBJECTIVE, "psnr", "ssim", "colourfulness_ratio", "beats", "search", "epochs")


def conclude(settings: StudySettings, home: StudyHome, console: Console) -> int:
    """Print the summary table and the commands that show more.

    Returns:
        0, or 1 if no cell has a finished trial.
    """
    record = StudyRecord(home.tracking_uri(settings), settings.name)
    summaries = summarise_study(record)
    console.print(summary_table(record, summaries))
    for note in record.notes:
        console.print(f"Note: {note}", highlight=False, soft_wrap=True)
    for line in commands(settings, home):
        console.print(line, highlight=False, soft_wrap=True)
    return 0 if any(one.complete for one in summaries) else 1


def summary_table(record: StudyRecord, summaries: list[CellSummary]) -> Table:
    """The summary as a console shows it; the exports have more columns."""
    table = Table(title=f"{record.name}: finals on the test split, mean [95 % interval]", box=box.SIMPLE_HEAD)
    for column in _COLUMNS:
        table.add_column(HEADINGS[column], overflow="fold")
    before = ""
    for row in table_rows(record, summaries):
        if before and row["dataset"] != before:
            table.add_section()
        shown = [row.get(column, "") for column in _COLUMNS]
        table.add_row("" if row["dataset"] == before else row["dataset"], *shown[1:])
        before = row["dataset"]
    return table


def commands(settings: StudySettings, home: StudyHome) -> list[str]:
    """Exact commands for the table, the MLflow UI and optuna-dashboard."""
    where = f"--name {settings.name} --home {shlex.quote(str(home.root.parent))}"
    server = settings.tracking.uri or ""
    ui = f"browse {server}" if server else f"mlflow ui --backend-store-uri {shlex.quote(home.tracking_uri(settings))}"
    return [
        "The table in full:   python -m study.export " + where,
        "Runs and pictures:   " + ui,
        "The search:          optuna-dashboard " + shlex.quote(home.ledger_url(settings)),
    ]
