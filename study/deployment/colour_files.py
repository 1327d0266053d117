"""Colour files and folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_utils.errors import printable
from data_utils.layouts import EXTENSIONS
from data_utils.open_image import RefusedImage
from data_utils.photographs import read_photograph, side_by_side, target_name, write_photograph
from models.colorizer import Colorizer
from study.errors import StudyError, UsageError


@dataclass(frozen=True)
class Job:
    """One file to colour and, before its format is known, the name it gets in the output folder."""

    source: Path
    name: Path


def jobs_of(given: Sequence[Path], output: Path) -> Iterator[Job]:
    """Files as given, and the images in folders, by name; files in the output folder are skipped.

    Raises:
        UsageError: For a path that does not exist.
    """
    for path in given:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"{printable(path)} does not exist.")
            yield Job(path, Path(path.name))
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not _same(Path(folder) / name, output))
            for name in sorted(files):
                file = Path(folder) / name
                if file.suffix.lower() in EXTENSIONS and not name.startswith("."):
                    yield Job(file, file.relative_to(path))


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def check_names(jobs: Sequence[Job]) -> None:
    """Refuse two files that would become one.

    Raises:
        UsageError: Naming both.
    """
    taken: dict[Path, Path] = {}
    for job in jobs:
        if job.name in taken:
            raise UsageError(
                f"{printable(taken[job.name])} and {printable(job.source)} would both become "
                f"{printable(job.name)}; colour them into different folders."
            )
        taken[job.name] = job.source


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
    """
    done = 0
    columns = (TextColumn("Colouring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for job in progress.track(jobs):
            try:
                _colour(job, colorizer, output)
                done += 1
            except (RefusedImage, _Existing) as error:
                progress.console.print(
                    str(error), style="yellow", highlight=False, markup=False, soft_wrap=True
                )
    return done


class _Existing(StudyError):
    """The output folder has the file already."""


def _colour(job: Job, colorizer: Colorizer, output: Output) -> None:
    photograph = read_photograph(job.source)
    target = output.folder / target_name(job.name, photograph.form)
    if target.exists():
        if target.samefile(job.source):
            raise UsageError(f"{printable(target)} is the original itself; choose another --output.")
        if not output.overwrite:
            raise _Existing(f"{printable(target)} exists; give --overwrite to replace it.")
    coloured = colorizer.colour(photograph.grey)
    if output.compare:
        photograph, coloured = side_by_side(photograph, coloured)
    write_photograph(target, photograph, coloured)
