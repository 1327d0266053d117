"""How every command ends: with an exit code and, after an error, one sentence instead of a traceback."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from data_utils.errors import DataError
from models.errors import ModelError
from study.cli.interruption import INTERRUPTED
from study.errors import StudyError, UsageError, masked

FAILED = 1


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one sentence, like every other error; knows `--version`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action="version", version=_version())

    def error(self, message: str) -> NoReturn:
        """Refuse a command line."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}; see `{self.prog} --help`.")


def _version() -> str:
    try:
        return f"colorization-study {version('colorization-study')}"
    except PackageNotFoundError:
        return "colorization-study, not installed as a package"


def run_command(command: Callable[[list[str], Console], int], arguments: list[str]) -> int:
    """Run a command's body.

    Args:
        command: Takes arguments and a console, returns the exit code.
        arguments: Of the command line.

    Returns:
        Its exit code; 1 or 2 after an error that was explained on the standard error.
    """
    complaints = Console(stderr=True)
    try:
        return command(arguments, Console())
    except (StudyError, DataError, ModelError) as error:
        say(complaints, str(error), style="red")
        return error.exit_code if isinstance(error, StudyError) else FAILED
    except KeyboardInterrupt:
        complaints.print("Interrupted.")
        return INTERRUPTED


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print a text: brackets in paths are no markup, lines are not broken, and no address shows a secret."""
    console.print(masked(text), style=style, highlight=False, markup=False, soft_wrap=True)


def write_output(path: Path | None, text: str, console: Console) -> None:
    """Write a text to the file of `--output`, or print it where none was given.

    Raises:
        UsageError: If it cannot be written.
    """
    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); give --output a file in a folder that exists."
        ) from None
    say(console, f"Wrote {path}")


def program(name: str) -> str:
    """How to call a program installed beside this Python: by name if the shell finds it so, else by path."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) == str(beside):
        return name
    return shlex.quote(os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside))
