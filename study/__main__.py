"""`colorization-study`, and `python -m study`: which commands there are, and the way to each."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence

from rich.console import Console

from study.cli.command import Parser, run_command
from study.cli.commands import SHELLS, commands, completion
from study.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code of the command that is named first, else 0 done, 2 wrong usage."""
    return run_command(_dispatch, list(sys.argv[1:] if arguments is None else arguments))


def _dispatch(arguments: list[str], console: Console) -> int:
    there = commands()
    name = arguments[0] if arguments else ""
    if name in there:
        sys.argv = ["", *arguments[1:]]
        runpy.run_module(there[name].module, run_name="__main__", alter_sys=True)
        return 0
    if name and not name.startswith("-"):
        raise UsageError(f"There is no command {name}; there are {', '.join(there)}.")
    lines = "\n".join(f"  {name:12} {one.summary}" for name, one in there.items())
    parser = Parser(
        prog="colorization-study",
        usage="colorization-study COMMAND …, or python -m study COMMAND …",
        description=f"Commands, each with --help:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--completion",
        choices=SHELLS,
        help="print what a shell completes commands by, for its start-up file: "
        'eval "$(colorization-study --completion bash)"',
    )
    options = parser.parse_args(arguments or ["--help"])
    sys.stdout.write(completion(options.completion) if options.completion else parser.format_help())
    return 0


if __name__ == "__main__":
    sys.exit(main())
