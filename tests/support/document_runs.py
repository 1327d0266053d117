"""Runs the commands that pages show, and tells how each ended, or why it was not run."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.conftest import ROOT
from tests.support.document_inputs import PROVISIONS, SMALL, address_of, as_run, expected, reason_not_run
from tests.support.document_shell import KILLED, LONGEST, Foreground, Shell
from tests.support.documents import ShownCommand

_LAST = 3000  # characters of its output that are shown where a command failed


@dataclass
class Row:
    """How a command ended.

    Attributes:
        command: As it is shown.
        run: As it was run, where that differs, and what was made for it before.
        outcome: Exit code, or why it was not run.
        seconds: None if it was not run.
        failed: It ended otherwise than its page leads to expect.
    """

    command: ShownCommand
    run: str
    outcome: str = ""
    seconds: float | None = None
    failed: bool = False

    def __str__(self) -> str:
        took = "" if self.seconds is None else f"{self.seconds:.0f}"
        outcome = f"**failed:** {self.outcome}" if self.failed else self.outcome
        where = [self.command.page, str(self.command.line)]
        return f"| {' | '.join([*where, _code(self.command.text), outcome, took, self.run])} |"


class ProvisionError(Exception):
    """What a command takes for granted could not be made."""


class PageRun:
    """The commands of one page, which may build on one another.

    A server lives until the page ends: later commands talk to it.

    Args:
        shell: Where they run.
        tell: Gets a row for every command, and another one when a server ends.
    """

    def __init__(self, shell: Shell, tell: Callable[[Row], None]) -> None:
        self._shell, self._tell = shell, tell
        self._printed = ""
        self._servers: list[tuple[Foreground, Row | None]] = []

    def run(self, command: ShownCommand) -> None:
        """Run a command after what it takes for granted, or say why not."""
        self._tell(self._row(command))

    def _row(self, command: ShownCommand) -> Row:
        if reason := reason_not_run(command.text):
            return Row(command, "", f"not run: {reason}")
        changed = as_run(self._as_printed(command.text))
        row = Row(command, _code(changed) if changed != command.text else "")
        try:
            row.run = "; ".join(filter(None, [row.run, *self._provide(changed)]))
        except ProvisionError as error:
            row.outcome, row.failed = f"not run: {error}", True
            return row
        begun = time.monotonic()
        code, outcome = self._execute(changed, row)
        wanted, why = expected(command.text)
        row.seconds, row.failed = time.monotonic() - begun, code != wanted
        row.outcome = f"{outcome}, as expected: {why}" if why and not row.failed else outcome
        return row

    def close(self, address: str = "") -> None:
        """End the servers, or the one at an address, with Ctrl+C, and note how they ended."""
        for server, row in [*reversed(self._servers)]:
            if address not in ("", server.address):
                continue
            self._servers.remove((server, row))
            code = server.end()
            if row is not None:
                failed = not _as_after_ctrl_c(code, server.output)
                _show_if(failed, row.command.text, server.output)
                self._tell(Row(row.command, "", f"exit {code} after Ctrl+C", failed=failed))

    def _as_printed(self, shown: str) -> str:
        """For `PROGRAM …`: the command as the last study printed it."""
        start = shown.removesuffix("…")
        found = [line[line.index(start) :] for line in self._printed.splitlines() if start in line]
        return found[-1] if start != shown and found else shown

    def _provide(self, command: str) -> list[str]:
        """Make what is not there yet; what was made, in words."""
        made = []
        for one in PROVISIONS:
            path = self._shell.clone / one.path
            there = path.exists() if one.path else bool(self._servers)
            if there or not one.is_wanted(command):
                continue
            if callable(one.make):
                path.parent.mkdir(parents=True, exist_ok=True)
                one.make(path)
            else:
                changed = as_run(one.make)
                made += self._provide(changed)
                code, outcome = self._execute(changed, None)
                if code:
                    raise ProvisionError(f"{changed}: {outcome}")
            made.append(f"made before: {one}")
        return made

    def _execute(self, command: str, row: Row | None) -> tuple[int, str]:
        """Exit code, 0 for a server that answers, and the outcome in words."""
        address = address_of(command)
        if address is None:
            code, output = self._shell.run(command)
            self._printed = output if "study.launch" in command else self._printed
            _show_if(code != 0, command, output)
            return code, f"exit {code}" + (f": killed after {LONGEST} s" if code == KILLED else "")
        if address:
            self.close(address)
        server = self._shell.serve(command, address)
        self._servers.append((server, row))
        sign = server.first_sign()
        if address and sign.startswith(address):
            return 0, sign
        self._servers.pop()
        code = server.end()
        asked = "" if sign == "ended by itself" else " after Ctrl+C"
        well = sign and not address and (code == 0 or (bool(asked) and _as_after_ctrl_c(code, server.output)))
        _show_if(not well, command, server.output)
        return 0 if well else code or 1, f"{sign or 'silent'}; exit {code}{asked}"


def run_pages(pages: Sequence[Sequence[ShownCommand]]) -> int:
    """Run the commands of each page in a folder of its own, and print one table.

    Returns:
        1 if a command ended otherwise than its page leads to expect, 2 if the clone would not be what is here.
    """
    if changes := _git("status", "--porcelain"):
        print(f"A clone would lack what is not committed:\n{changes}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _leave)
    print(
        f"Commit {_git('rev-parse', '--short', 'HEAD')}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs."
    )
    print(f"SMALL: {_code(shlex.join(f'{name}={value}' for name, value in SMALL.items()))}\n")
    print(
        "| page | line | command | outcome | seconds | run as, and with |\n| --- | --- | --- | --- | --- | --- |"
    )
    rows: list[Row] = []
    for commands in pages:
        _run_page(commands, rows)
    failed = sum(row.failed for row in rows)
    print(f"\n{failed} failed." if failed else "\nNone failed.")
    return min(failed, 1)


def _run_page(commands: Sequence[ShownCommand], rows: list[Row]) -> None:
    def tell(row: Row) -> None:
        rows.append(row)
        print(row, flush=True)

    with tempfile.TemporaryDirectory(prefix="page-", ignore_cleanup_errors=True) as folder:
        run = PageRun(Shell(Path(folder), SMALL), tell)
        try:
            for command in commands:
                print(f"{command.page}:{command.line}: {command.text}", file=sys.stderr, flush=True)
                run.run(command)
        finally:
            run.close()


def _as_after_ctrl_c(code: int, output: str) -> bool:
    """Whether a program ended in one of the ways that are usual; those made with click say "Aborted!" and give 1."""
    return code in (0, 130) or (code == 1 and output.rstrip().endswith("Aborted!"))


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _show_if(failed: bool, command: str, output: str) -> None:
    if failed:
        print(f"{command}\n{output[-_LAST:]}\n", file=sys.stderr, flush=True)


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
