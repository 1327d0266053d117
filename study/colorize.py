"""`python -m study.colorize`: colour a user's photographs at their own resolution."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from data_utils.errors import printable
from study.cli.command import Parser, run_command, say
from study.cli.options import add_model_options
from study.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 some files were not coloured, 2 wrong usage."""
    return run_command(_colorize, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
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

    from study.deployment.colour_files import Output, colour_files, tell
    from study.deployment.colour_jobs import find_jobs
    from study.deployment.model_source import model_from_options

    if options.output.exists() and not options.output.is_dir():
        raise UsageError(f"--output {printable(options.output)} is a file; give a folder.")
    jobs = find_jobs(options.images, options.output)
    colorizer = model_from_options(options)
    if warning := colorizer.config.origin.get("warning"):
        say(console, str(warning), style="bold red")
    for sentence in jobs.others:
        say(console, sentence)
    for folder in jobs.unreadable:
        tell(console, f"{printable(folder)} cannot be listed; check its permissions.")
    done = colour_files(
        jobs.files, colorizer, Output(options.output, options.overwrite, options.compare), console
    )
    left = len(jobs.files) - done
    missing = f"; {left} of {len(jobs.files)} were not coloured" if left else ""
    say(console, f"Coloured {done} into {printable(options.output)}{missing}.")
    return 1 if left or jobs.unreadable else 0


if __name__ == "__main__":
    sys.exit(main())
