"""`python -m study.export`: write the best-model summary table of a study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.cli.command import Parser, run_command, say, write_output
from study.cli.options import add_reading_options
from study.comparison.formats import FORMATS, format_of
from study.errors import UsageError

TRIALS = "trials"
EVALUATIONS = "evaluations"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_export, list(sys.argv[1:] if arguments is None else arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m study.export", description="Print a study's summary table.")
    add_reading_options(parser, required=False)
    parser.add_argument(
        "--from-csv", type=Path, metavar="F.csv", help="a table that was exported as csv, in place of a study"
    )
    parser.add_argument(
        "--format",
        help=f"{', '.join(FORMATS)} or one of a plug-in (default: by the suffix of --output, else markdown); {TRIALS}: "
        f"every trial and final as CSV; {EVALUATIONS}: every test image under every final behind the verdicts, as CSV",
    )
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="M",
        help="a module or file that registers formats, besides the study's own; may be repeated",
    )
    parser.add_argument("--output", type=Path, metavar="F", help="a file instead of the standard output")
    return parser


def _export(arguments: list[str], console: Console) -> int:
    options = _parser().parse_args(arguments)
    if (options.name is None) == (options.from_csv is None):
        raise UsageError("Give either --name of a study or --from-csv of an exported table.")
    if options.plugin:
        from models.plugins import load_extensions

        load_extensions(options.plugin)
    text = _text(options)
    write_output(options.output, text, console)
    return 0


def _text(options: argparse.Namespace) -> str:
    from study.comparison.csv_table import read_table, write_evaluations, write_trials
    from study.comparison.formats import render

    if options.from_csv:
        if options.format in (TRIALS, EVALUATIONS):
            raise UsageError(
                f"A table holds no {options.format}; give --name of a study for --format {options.format}."
            )
        return render(*read_table(options.from_csv), _format(options))

    from study.comparison.summary import summarise_study
    from study.tracking.record import open_record

    record = open_record(options.name, options.home, options.tracking_uri)
    if not record.finished:
        say(
            Console(stderr=True),
            f"The study {options.name} is not finished; the table is what there is so far.",
        )
    if options.format == TRIALS:
        return write_trials(record)
    if options.format == EVALUATIONS:
        return write_evaluations(record)
    return render(record.trivial, summarise_study(record), _format(options))


def _format(options: argparse.Namespace) -> str:
    return options.format or format_of(options.output or Path())


if __name__ == "__main__":
    sys.exit(main())
