"""`python -m study.schema`: print the JSON schema of a study's file, by which editors complete and check it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from study.cli.command import Parser, run_command, write_output


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 0 done, 2 wrong usage."""
    return run_command(_schema, list(sys.argv[1:] if arguments is None else arguments))


def _schema(arguments: list[str], console: Console) -> int:
    parser = Parser(
        prog="python -m study.schema",
        description="Print the JSON schema of a study's file. Editors complete and check a file whose first line is "
        "`# yaml-language-server: $schema=study.schema.json`.",
    )
    parser.add_argument("--output", type=Path, metavar="F", help="a file instead of the standard output")
    options = parser.parse_args(arguments)

    from study.settings.json_schema import schema_text

    write_output(options.output, schema_text(), console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
