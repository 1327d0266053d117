"""`python -m study.report`: the comparison report of a study, one self-contained HTML file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.command import run_command
from study.errors import StudyError, UsageError
from study.home import StudyHome
from study.reading import add_study_options, open_record
from study.record import StudyRecord
from study.reporting.page import render_page
from study.tracking import STUDY_RUN

NAME = "report.html"


def write_report(record: StudyRecord, path: Path) -> Path:
    """Write the report, and log it to the study's run in MLflow.

    Args:
        record: The study.
        path: Where the page goes; its folder is made.

    Returns:
        The path.

    Raises:
        StudyError: If the file cannot be written, or MLflow does not take it (the file is there then).
    """
    page = render_page(record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"The report cannot be written to {path}: {error.strerror}.") from error
    _log(record, page)
    return path


def _log(record: StudyRecord, page: str) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    run = record.run_id(STUDY_RUN)
    if run is None:
        return
    try:
        MlflowClient(record.uri).log_text(run, page, NAME)
    except (MlflowException, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise StudyError(f"MLflow at {record.uri} did not take the report: {first}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_report, list(sys.argv[1:] if arguments is None else arguments))


def _report(arguments: list[str], console: Console) -> int:
    parser = argparse.ArgumentParser(prog="python -m study.report", description="Write a study's report.")
    add_study_options(parser)
    parser.add_argument("--output", type=Path, metavar="F.html", help="default: HOME/NAME/report.html")
    options = parser.parse_args(arguments)
    output = options.output or StudyHome((options.home / options.name).absolute()).report
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file.")
    written = write_report(open_record(options), output)
    console.print(f"Wrote {written}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
