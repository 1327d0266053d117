"""The files of an image, and what tells that one has changed."""

from __future__ import annotations

import os
from pathlib import Path

from data_utils.layouts import Entry

Stamp = tuple[int, int, int] | None  # size, modification time in ns, mode; None where there is no file


def files_of(entry: Entry) -> list[Path]:
    """The colour file of an image and, where there is one, its grey file."""
    return [entry.colour] if entry.grey is None else [entry.colour, entry.grey]


def stamp(path: Path) -> Stamp:
    """What tells that a file has changed, short of reading it."""
    try:
        status = os.stat(path)
    except OSError:
        return None  # the decoder says what is wrong with it
    return status.st_size, status.st_mtime_ns, status.st_mode
