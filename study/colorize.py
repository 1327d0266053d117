"""`python -m study.colorize`: colours a user's photographs at their own resolution."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_utils.decode_image import RefusedImage
from data_utils.errors import printable
from data_utils.layouts import EXTENSIONS
from data_utils.photographs import read_photograph, side_by_side, target_name, write_photograph
from models.colorizer import Colorizer
from study.command import run_command
from study.errors import StudyError, UsageError
from study.model_source import add_model_options, model_from_options


@dataclass(frozen=True)
class _Job:
    """One file to colour and, before its format is known, the name it gets in the output folder."""

    source: Path
    name: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 some files were not coloured, 2 wrong usage."""
    return run_command(_colorize, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m study.colorize",
        description="Colour photographs at their own resolution. The colours are plausible, not historical.",
    )
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="folders with all below them"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="where coloured files go")
    add_model_options(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files that are already in the output folder"
    )
    parser.add_argument("--compare", action="store_true", help="write grey and coloured side by side")
    return parser


def _colorize(arguments: list[str], console: Console) -> int:
    options = _parser().parse_args(arguments)
    jobs = list(_jobs(options.images, options.output))
    if not jobs:
        raise UsageError(f"There is no image in {', '.join(printable(path) for path in options.images)}.")
    _check_names(jobs)
    colorizer = model_from_options(options)
    done = _run(jobs, colorizer, options, console)
    left = len(jobs) - done
    missing = f"; {left} of {len(jobs)} were not coloured" if left else ""
    console.print(
        f"Coloured {done} into {printable(options.output)}{missing}.", highlight=False, soft_wrap=True
    )
    return 1 if left else 0


def _jobs(given: Sequence[Path], output: Path) -> Iterator[_Job]:
    """Files as given, and the images in folders, by name; what lies in the output folder is no input."""
    for path in given:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"{printable(path)} does not exist.")
            yield _Job(path, Path(path.name))
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not _same(Path(folder) / name, output))
            for name in sorted(files):
                file = Path(folder) / name
                if file.suffix.lower() in EXTENSIONS and not name.startswith("."):
                    yield _Job(file, file.relative_to(path))


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _check_names(jobs: list[_Job]) -> None:
    taken: dict[Path, Path] = {}
    for job in jobs:
        if job.name in taken:
            raise UsageError(
                f"{printable(taken[job.name])} and {printable(job.source)} would both become "
                f"{printable(job.name)}; colour them into different folders."
            )
        taken[job.name] = job.source


def _run(jobs: list[_Job], colorizer: Colorizer, options: argparse.Namespace, console: Console) -> int:
    """Colour file by file; what cannot be coloured is named and left out.

    Returns:
        How many were written.
    """
    done = 0
    columns = (TextColumn("Colouring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for job in progress.track(jobs):
            try:
                _colour(job, colorizer, options)
                done += 1
            except (RefusedImage, _Existing) as error:
                progress.console.print(
                    str(error), style="yellow", highlight=False, markup=False, soft_wrap=True
                )
    return done


class _Existing(StudyError):
    """The output folder has the file already."""


def _colour(job: _Job, colorizer: Colorizer, options: argparse.Namespace) -> None:
    photograph = read_photograph(job.source)
    target = options.output / target_name(job.name, photograph.form)
    if target.exists():
        if target.samefile(job.source):
            raise UsageError(f"{printable(target)} is the original itself; choose another --output.")
        if not options.overwrite:
            raise _Existing(f"{printable(target)} exists; give --overwrite to replace it.")
    coloured = colorizer.colour(photograph.grey)
    if options.compare:
        photograph, coloured = side_by_side(photograph, coloured)
    write_photograph(target, photograph, coloured)


if __name__ == "__main__":
    sys.exit(main())
