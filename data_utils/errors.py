"""What the data can answer when something is wrong with it, and how its files are named in that answer."""

from __future__ import annotations

import errno
import os
from pathlib import Path

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)  # numbers of the OSError for a disk or a quota that is used up


class DataError(Exception):
    """Something is wrong with the data: one sentence that names the file or folder and says what to do."""


class CacheError(DataError):
    """The cache cannot be written, for want of space or permission."""


class RefusedFiles(DataError):
    """Files of a dataset are refused; they are listed one per line after the first sentence."""


def printable(path: str | Path) -> str:
    r"""Name a file so that it can be printed, logged and stored, whatever its bytes are.

    Args:
        path: any path, also one with bytes that are not UTF-8, line breaks or terminal escapes.

    Returns:
        One line of valid Unicode; bytes and characters that cannot be shown appear as ``\xff`` or ``\n``.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
