"""`python -m study.export`: the best-model summary table of a study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.command import run_command
from study.formats import FORMATS, render
from study.reading import add_study_options, open_record
from study.summary import summarise_study


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_export, list(sys.argv[1:] if arguments is None else arguments))


def _export(arguments: list[str], console: Console) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m study.export", description="Print a study's summary table."
    )
    add_study_options(parser)
    parser.add_argument("--format", choices=FORMATS, default="markdown", help="default: markdown")
    parser.add_argument("--output", type=Path, metavar="F", help="a file instead of the standard output")
    options = parser.parse_args(arguments)
    record = open_record(options)
    text = render(record, summarise_study(record), options.format)
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8")
        console.print(f"Wrote {options.output}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
