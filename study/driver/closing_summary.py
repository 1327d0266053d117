"""The last words of a study: the summary table, and where to look further."""

from __future__ import annotations

import shlex

from rich import box
from rich.console import Console
from rich.table import Table

from data_utils.wording import counted
from models.metrics import OBJECTIVE
from study.cli.command import program, say
from study.comparison.control import control_sentence
from study.comparison.finals import Evidence
from study.comparison.selection import champion_of, latency_sentence
from study.comparison.summary import CellSummary, summarise_study
from study.comparison.table import HEADINGS, table_rows
from study.comparison.warning import champion_warning
from study.errors import StudyError
from study.reporting.answer import answer
from study.reporting.page import write_report
from study.settings.identity import NOBODY
from study.settings.schema import StudySettings, cell_key
from study.settings.study_folder import StudyHome
from study.statistics.components import FEWEST
from study.tracking.names import runs_page
from study.tracking.owner import experiment_number
from study.tracking.record import StudyRecord

_MEANS = ("psnr", "ssim")
_SHORT = {"psnr": "PSNR", "ssim": "SSIM", "search": "c/p/f"}


def conclude(
    settings: StudySettings, home: StudyHome, console: Console, record: StudyRecord | None = None
) -> int:
    """Print the summary table, write the report, and name the commands that show more.

    Args:
        settings: The study.
        home: Its folder.
        console: Where it is printed.
        record: In place of what MLflow has.

    Returns:
        0, or 1 if no cell has a finished trial.
    """
    record = record or StudyRecord(home.tracking_uri(settings), settings.name, home.identity or NOBODY)
    summaries = summarise_study(record)
    console.print(summary_table(record, summaries))
    evidence = Evidence(record)
    for dataset in evidence.datasets:
        for sentence in (answer(evidence, dataset).lead, control_sentence(evidence, dataset)):
            if sentence:
                say(console, sentence)
    for warning in _warnings(record, summaries):
        say(console, warning, style="bold red")
    say(console, epochs_sentence(record, summaries))
    for note in record.notes:
        say(console, f"Note: {note}")
    try:
        write_report(record, home.report)
    except StudyError as error:
        say(console, str(error))
    for line in commands(settings, home):
        say(console, line)
    return 0 if any(one.complete for one in summaries) else 1


def epochs_sentence(record: StudyRecord, summaries: list[CellSummary]) -> str:
    """What pruning saved."""
    spent = sum(one.epochs for one in summaries)
    full = sum(one.trials * _epochs(record, one) for one in summaries)
    return f"The search trained {counted(spent, 'epoch')}; without pruning it would have been {full}."


def _warnings(record: StudyRecord, summaries: list[CellSummary]) -> list[str]:
    """Of the champions."""
    cells = {(one.dataset, one.architecture): one for one in summaries}
    champions = [champion_of(record, dataset) for dataset in dict.fromkeys(one.dataset for one in summaries)]
    found = [
        champion_warning(record, cells[one.dataset, one.architecture]) for one in champions if one is not None
    ]
    return [warning for warning in [latency_sentence(record), *found] if warning]


def _epochs(record: StudyRecord, one: CellSummary) -> int:
    """Of a full trial; of old studies, too, whose plug-ins may be missing."""
    budget = record.settings["budget"]
    common = record.settings["datasets"][one.dataset].get("epochs") or budget["epochs"]
    epochs: int = budget["epochs_for"].get(cell_key(one.dataset, one.architecture), common)
    return epochs


def summary_table(record: StudyRecord, summaries: list[CellSummary]) -> Table:
    """The summary as an 80-column console shows it; the exports have more columns and all intervals."""
    table = Table(title=f"{record.name}: finals on the test split", box=box.SIMPLE_HEAD)
    for column in ("model", OBJECTIVE, *_MEANS, "search", "beats"):
        numeric = column in _MEANS or column == "search"
        heading = _SHORT.get(column, HEADINGS[column])
        table.add_column(heading, no_wrap=column != "beats", justify="right" if numeric else "left")
    dataset = ""
    rows = table_rows(record.trivial, summaries)
    for row in rows:
        if row["dataset"] != dataset:
            dataset = row["dataset"]
            table.add_section()
            table.add_row(f"[bold]{dataset}[/bold]")
        means = [row.get(column, "").partition(" [")[0] for column in _MEANS]
        shown = [row.get(column, "") for column in ("search", "beats")]
        table.add_row(f"  {row['model']}", row.get(OBJECTIVE, ""), *means, *shown)
    intervals = any(" [" in row.get(OBJECTIVE, "") for row in rows)
    table.caption = (
        f"{'[95 % interval]' if intervals else f'no intervals: fewer than {FEWEST} test images'}; "
        "c/p/f: trials complete, pruned, failed; in brackets: trivial predictions"
    )
    return table


def commands(settings: StudySettings, home: StudyHome) -> list[str]:
    """Exact commands for the table, the MLflow UI, optuna-dashboard and the champions."""
    where = f"--name {settings.name} --home {shlex.quote(str(home.root.parent))}"
    experiment = experiment_number(home.tracking_uri(settings), settings.name)
    python, dataset = program("python"), next(iter(settings.datasets))
    return [
        f"The report:          {home.report}",
        f"The table in full:   {python} -m study.export {where}",
        runs_lines(settings, home, experiment),
        f"The search:          {program('optuna-dashboard')} {shlex.quote(home.ledger_url(settings))}",
        f"Your photographs:    {python} -m study.colorize PHOTOS --output DIR {where} --dataset {dataset}",
    ]


def runs_lines(settings: StudySettings, home: StudyHome, experiment: str | None) -> str:
    """How to see the study's runs in MLflow's pages: the address, after the command that serves them.

    Args:
        settings: The study.
        home: Its folder.
        experiment: Its number in MLflow, None if that is not known.
    """
    uri, page = home.tracking_uri(settings), runs_page(experiment) if experiment else ""
    if uri.startswith(("http://", "https://")):
        return f"Runs and pictures:   {uri.rstrip('/')}/{page}"
    return (
        f"Runs and pictures:   {program('mlflow')} ui --backend-store-uri {shlex.quote(uri)}\n"
        f"                     http://127.0.0.1:5000/{page}"
    )
