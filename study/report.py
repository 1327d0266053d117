"""`python -m study.report`: write the comparison report of a study, one self-contained HTML file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.cli.command import Parser, run_command, say
from study.cli.options import add_reading_options
from study.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 1 failed, 2 wrong usage."""
    return run_command(_report, list(sys.argv[1:] if arguments is None else arguments))


def _report(arguments: list[str], console: Console) -> int:
    parser = Parser(prog="python -m study.report", description="Write a study's report.")
    add_reading_options(parser)
    parser.add_argument("--output", type=Path, metavar="F.html", help="default: HOME/NAME/report.html")
    options = parser.parse_args(arguments)

    from study.reporting.page import write_report
    from study.settings.study_folder import StudyHome
    from study.tracking.record import open_record

    output = options.output or StudyHome((options.home / options.name).absolute()).report
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file.")
    written = write_report(open_record(options.name, options.home, options.tracking_uri), output)
    say(console, f"Wrote {written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
