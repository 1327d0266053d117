"""Colour files and folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_utils.errors import DataError, printable
from data_utils.photographs import read_photograph, side_by_side, target_name, write_photograph
from models.colorizer import Colorizer
from study.cli.command import say
from study.deployment.colour_jobs import Job
from study.errors import StudyError, UsageError


@dataclass(frozen=True)
class Output:
    """Where coloured files go.

    Attributes:
        folder: Created if it does not exist.
        overwrite: Replace existing files.
        compare: Write grey and coloured side by side.
    """

    folder: Path
    overwrite: bool = False
    compare: bool = False


def colour_files(jobs: Sequence[Job], colorizer: Colorizer, output: Output, console: Console) -> int:
    """Colour file by file; files that cannot be coloured are named and skipped.

    Returns:
        How many were written.

    Raises:
        UsageError: A file would replace its original.
    """
    done = 0
    columns = (TextColumn("Colouring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for job in progress.track(jobs):
            try:
                lost = _colour(job, colorizer, output)
            except (DataError, _Existing) as error:
                tell(progress.console, str(error))
                continue
            done += 1
            if lost:
                tell(
                    progress.console, f"{printable(job.source)} is coloured without its {' and '.join(lost)}."
                )
    return done


def tell(console: Console, sentence: str) -> None:
    """One line on something that did not go as asked."""
    say(console, sentence, style="yellow")


class _Existing(StudyError):
    """The output folder has the file already."""


def _colour(job: Job, colorizer: Colorizer, output: Output) -> tuple[str, ...]:
    """Write the coloured file; returns what it does not keep of the photograph's metadata."""
    photograph = read_photograph(job.source)
    target = output.folder / target_name(job.name, photograph.form)
    _check_target(target, job.source, output)
    coloured = colorizer.colour(photograph.grey)
    if output.compare:
        photograph, coloured = side_by_side(photograph, coloured)
    write_photograph(target, photograph, coloured)
    return photograph.lost


def _check_target(target: Path, source: Path, output: Output) -> None:
    try:
        if not target.exists():
            return
    except OSError as error:  # such as a name that is too long
        raise DataError(f"{printable(target)} cannot be written: {error.strerror}.") from error
    if target.samefile(source):
        raise UsageError(f"{printable(target)} is the original itself; choose another --output.")
    if not output.overwrite:
        raise _Existing(f"{printable(target)} exists; give --overwrite to replace it.")
