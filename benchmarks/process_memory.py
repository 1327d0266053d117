"""Peak memory of a command and of the processes it starts, private and shared apart, sampled from /proc."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.1  # seconds between samples
GB = 1e9


@dataclass
class Peak:
    """The most that was seen.

    Attributes:
        private: Bytes of the command's own process that are no file's: heap and copies.
        mapped: Bytes of files in its address space, which the system takes back when it needs them.
        together: Private bytes of all processes at one time.
        read: Bytes that the process has read through system calls, the page cache's included.
        seconds: Wall time.
    """

    private: int = 0
    mapped: int = 0
    together: int = 0
    read: int = 0
    seconds: float = 0.0


class TooMuch(RuntimeError):
    """A command took more memory than it may."""


def watched(command: Sequence[str], most: float, environment: Mapping[str, str]) -> Peak:
    """Run a command to its end.

    Args:
        command: Its arguments.
        most: Private bytes that its processes together may take; it is killed above.
        environment: Variables that it has besides those of this process.

    Raises:
        TooMuch: It took more.
        CalledProcessError: It failed.
    """
    peak, started = Peak(), time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        while process.poll() is None:
            _sample(process.pid, peak)
            if peak.together > most:
                raise TooMuch(
                    f"{' '.join(command)} took {peak.together / GB:.2f} GB, more than {most / GB:.0f} GB"
                )
            time.sleep(EVERY)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    peak.seconds = time.monotonic() - started
    return peak


def _sample(pid: int, peak: Peak) -> None:
    own = _memory(pid)
    peak.private, peak.mapped = max(peak.private, own[0]), max(peak.mapped, own[1])
    peak.together = max(peak.together, sum(_memory(one)[0] for one in _tree(pid)))
    peak.read = max(peak.read, _fields(pid, "io").get("rchar", 0))


def _memory(pid: int) -> tuple[int, int]:
    """Private and file-backed bytes in memory; none of a process that is gone."""
    found = _fields(pid, "status")
    return (found.get("RssAnon", 0) + found.get("RssShmem", 0)) * 1024, found.get("RssFile", 0) * 1024


def _fields(pid: int, file: str) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines)
    return {name: int(text.split()[0]) for name, text in pairs if text.split() and text.split()[0].isdigit()}


def _tree(pid: int) -> list[int]:
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _tree(child))]
