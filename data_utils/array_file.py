"""A large array in a .npy file, written row by row without holding it, and read likewise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

_BLOCK = 16 << 20  # bytes read at a time


class ArrayFile:
    """N rows of one shape, uint8, of which any may be written in any order.

    Args:
        path: The file; what is there is kept if it has this shape, else a new one is begun.
        shape: N×…

    Attributes:
        begun: Whether the file is a new one.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape = path, shape
        self._row = int(np.prod(shape[1:]))
        self.begun = not self._fits()
        if self.begun:
            with path.open("wb") as file:
                self._write_header(file)
                file.truncate(self._start + self._row * shape[0])

    def write(self, first: int, rows: np.ndarray) -> None:
        """Write consecutive rows (K×…) from position ``first`` on."""
        with self.path.open("r+b") as file:
            file.seek(self._start + first * self._row)
            file.write(np.ascontiguousarray(rows).data)

    def read(self) -> np.ndarray:
        """All rows, mapped read-only."""
        return np.load(self.path, mmap_mode="r", allow_pickle=False)

    def keep(self, kept: np.ndarray) -> None:
        """Leave out all rows but these (ascending positions), in place: there may be no room for a second file."""
        if len(kept) == self.shape[0]:
            return
        rows = self.read()
        at_once = max(1, _BLOCK // self._row)
        unmoved = int(np.searchsorted(kept > np.arange(len(kept)), True))
        for first in range(unmoved, len(kept), at_once):
            # Rows only move towards the beginning, so that none is overwritten before it is read.
            self.write(first, rows[kept[first : first + at_once]])
        self.shape = (len(kept), *self.shape[1:])
        with self.path.open("r+b") as file:
            self._write_header(file)  # as long as before: numpy leaves room for more digits
            file.truncate(self._start + self._row * len(kept))

    def _write_header(self, file: BinaryIO) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(file, header)
        self._start = file.tell()

    def _fits(self) -> bool:
        try:
            with self.path.open("rb") as file:
                np.lib.format.read_magic(file)
                shape, _, kind = np.lib.format.read_array_header_1_0(file)
                self._start = file.tell()
                whole = os.fstat(file.fileno()).st_size == self._start + self._row * self.shape[0]
        except (OSError, ValueError):
            return False
        return bool(shape == self.shape and kind == np.uint8 and whole)
