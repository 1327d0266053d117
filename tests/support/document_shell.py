"""A shell in a clean clone: commands one after another, and those that stay in the foreground until Ctrl+C."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

LONGEST = 420
"""Seconds after which a command counts as hanging; also for a server to answer."""

KILLED = 128 + signal.SIGKILL
"""Exit code of such a command."""

_PATIENCE = 60  # seconds to end after Ctrl+C
_FOREIGN = ("STUDY_", "RAY_", "MLFLOW_", "COLORIZATION_", "VIRTUAL_ENV", "HF_", "PYTHONPATH")
_SCRIPT = """SMALL() {{ env {small} "$@"; }}
[ ! -e {state} ] || . {state}
{command}
code=$?
{{ export -p; printf 'cd %q\\n' "$PWD"; }} > {state}
exit $code
"""


class Foreground:
    """A command that stays in the foreground.

    Args:
        process: The command, with a process group of its own.
        address: Where it answers over HTTP; "": it prints.
        log: What it prints.
    """

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self.address = address
        self._process, self._log = process, log

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace")

    def first_sign(self) -> str:
        """What it does first: answers, prints or ends; "" after `LONGEST` seconds of nothing."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return "ended by itself"
            if self.address and (status := _status(self.address)):
                return f"{self.address} answered {status}"
            if not self.address and self.output:
                return "printed"
            time.sleep(0.5)
        return ""

    def end(self) -> int:
        """Press Ctrl+C, unless it has ended; its exit code."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        return _ended(self._process, _PATIENCE)


class Shell:
    """Commands share the working folder, the exported variables, a home and a cache.

    Args:
        folder: An empty one.
        small: What the word `SMALL` before a command puts into its environment.
    """

    def __init__(self, folder: Path, small: Mapping[str, str]) -> None:
        self.clone, self._folder = folder / "clone", folder
        subprocess.run(["git", "clone", "--quiet", ROOT, self.clone], check=True)
        (folder / "home").mkdir()
        _install(self.clone / ".venv")
        self._small = shlex.join(f"{name}={value}" for name, value in small.items())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._environment = kept | {
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "home" / ".cache"),
            "PATH": f"{self.clone / '.venv' / 'bin'}:{kept['PATH']}",
            "PYTHONPATH": str(self.clone),
        }
        self._started = 0

    def run(self, command: str) -> tuple[int, str]:
        """Exit code of a command, and what it printed."""
        process, log = self._start(command)
        code = _ended(process, LONGEST)
        return code, log.read_text(errors="replace")

    def serve(self, command: str, address: str) -> Foreground:
        """Start a command that stays in the foreground; see `Foreground`."""
        process, log = self._start(command)
        return Foreground(process, address, log)

    def _start(self, command: str) -> tuple[subprocess.Popen[bytes], Path]:
        self._started += 1
        log = self._folder / f"{self._started}.log"
        state = shlex.quote(str(self._folder / "state"))
        script = _SCRIPT.format(small=self._small, state=state, command=command)
        with log.open("wb") as output:
            # As at a terminal: what runs this may run in the background, where all it starts ignores Ctrl+C.
            process = subprocess.Popen(
                ["env", "--default-signal=INT", "bash", "-c", script],
                cwd=self.clone,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return process, log


def _install(venv: Path) -> None:
    """Leave `.venv` as `make` would, with the packages of the Python that runs this."""
    prefix = Path(sys.prefix)
    (venv / "bin").mkdir(parents=True)
    for path in (*prefix.glob("[!.]*"), *(prefix / "bin").glob("*")):
        target = venv / path.relative_to(prefix)
        if not target.exists():
            target.symlink_to(path)
    for stamp in (".runtime", ".docs"):
        (venv / stamp).touch()
    program = venv / "bin" / "colorization-study"
    if not program.exists():
        program.write_text('#!/bin/sh\nexec python -m study "$@"\n', encoding="utf-8")
        program.chmod(0o755)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Its exit code as a shell tells it; killed after so many seconds, and with whatever interrupts the waiting."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = -signal.SIGKILL
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code if code >= 0 else 128 - code


def _status(address: str) -> int | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
