"""`python -m study`: which commands there are."""

from __future__ import annotations

import argparse
import sys

from study.cli.command import Parser, run_command

_COMMANDS = {
    "launch": "run, resume or plan a study",
    "report": "write the comparison report",
    "export": "print the summary table",
    "colorize": "colour photographs",
    "export_onnx": "write a model as ONNX",
    "sync": "deliver to MLflow what it has not received",
}


def main() -> int:
    """Entry point; 0 done, 2 wrong usage."""

    def listed(arguments: list[str], console: object) -> int:
        lines = "\n".join(f"  python -m study.{name:12} {what}" for name, what in _COMMANDS.items())
        Parser(
            prog="python -m study",
            usage="python -m study.COMMAND …",
            description=f"Commands, each with --help:\n{lines}\n  python -m data_utils.prepare verify a dataset",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        ).parse_args(arguments or ["--help"])
        return 0

    return run_command(listed, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
