"""One driver at a time: a lock on the study's folder that a crash cannot leave behind."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import UsageError


@contextmanager
def only_driver(folder: Path) -> Iterator[None]:
    """Hold the lock of a study's folder, which is made if it is not there.

    The operating system holds it for this process and gives it up with it, so a killed driver leaves no lock; the
    file that remains only says who held it last.

    Raises:
        UsageError: If another driver holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "driver.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UsageError(
                f"The study in {folder} is being run by {holder}; wait for it to end, or stop it."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
