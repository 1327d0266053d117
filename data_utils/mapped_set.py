"""What the cache holds, where it is used: mapped from the cache of this machine, or brought there in pieces."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_utils.cache import CHECKSUMS, default_cache, explained, locked, restore_times, stored_arrays
from data_utils.errors import CacheError
from data_utils.image_set import CacheEntry, ImageSet, SetSource
from data_utils.set_arrays import image_set

PIECE = 64 << 20  # bytes that travel at a time


class Piece(NamedTuple):
    """A part of one file of a cache entry."""

    file: str
    start: int
    content: bytes


def open_set(source: SetSource, cache: Path | None = None) -> ImageSet | None:
    """Map a set that this machine has, in the cache it was prepared in or in the one given.

    Args:
        source: ``ImageSet.source`` of the prepared set.
        cache: This machine's own cache folder; by default the user's.

    Returns:
        The set, its arrays read from disk as they are used; None where this machine does not have it.
    """
    arrays = open_arrays(source, cache)
    return None if arrays is None else image_set(source, arrays)


def open_arrays(source: CacheEntry, cache: Path | None = None) -> dict[str, np.ndarray] | None:
    """The same for arrays that are no set of images."""
    for folder in (Path(source.folder), cache or default_cache()):
        arrays = stored_arrays(folder, source.key)
        if arrays is not None:
            return arrays
    return None


def pieces_of(source: CacheEntry) -> Iterator[Piece]:
    """Read an entry's files in pieces, for a machine that does not have it.

    Raises:
        CacheError: It is not in the cache it was prepared in.
    """
    entry = Path(source.folder) / source.key
    try:
        for path in sorted(entry.iterdir(), key=lambda path: path.name == CHECKSUMS):
            with path.open("rb") as file:
                start = 0
                while block := file.read(PIECE):
                    yield Piece(path.name, start, block)
                    start += len(block)
    except OSError as error:
        raise CacheError(
            f"The arrays of {source.name} are not in {entry} any more ({error.strerror}); "
            "prepare the dataset again."
        ) from error


def receive_set(source: SetSource, pieces: Iterable[Piece], cache: Path | None = None) -> ImageSet:
    """Store a set in this machine's cache unless it is there, and map it.

    Several processes of a machine may call it at once: one takes the pieces, the others wait.

    Args:
        source: ``ImageSet.source`` of the prepared set.
        pieces: From ``pieces_of``, in its order; not touched where the set is there.
        cache: This machine's own cache folder; by default the user's.

    Raises:
        CacheError: The cache cannot be written, or what arrived is not the set.
    """
    return image_set(source, receive_arrays(source, pieces, cache))


def receive_arrays(
    source: CacheEntry, pieces: Iterable[Piece], cache: Path | None = None
) -> dict[str, np.ndarray]:
    """The same for arrays that are no set of images."""
    folder = cache or default_cache()
    with locked(folder, source.key) as entry:
        arrays = open_arrays(source, folder)
        if arrays is not None:
            return arrays
        arriving = entry.with_name(f"{entry.name}.arriving")
        with explained(folder):
            shutil.rmtree(arriving, ignore_errors=True)
            arriving.mkdir()
            for piece in pieces:
                with (arriving / piece.file).open("ab") as file:
                    file.write(piece.content)
            shutil.rmtree(entry, ignore_errors=True)
            os.replace(arriving, entry)
        arrays = open_arrays(source, folder)
        if arrays is None:
            raise CacheError(f"The arrays of {source.name} did not arrive whole in {folder}; check its disk.")
        restore_times(entry)
        return arrays
