"""Arrays kept on disk under a key: made once, whole or not at all, mapped into memory when read."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from data_utils.errors import CacheError, printable

CHECKSUMS = "checksums.json"
ALWAYS_READ = 64 << 20  # bytes; reading larger files at every start would take minutes


def default_cache() -> Path:
    """The user's cache folder for this software: below ``$XDG_CACHE_HOME``, else ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorization-study"


def cached_arrays(
    folder: Path, key: str, build: Callable[[], Mapping[str, np.ndarray | Path]]
) -> dict[str, np.ndarray]:
    """Read the arrays stored under a key; build and store them first where they are missing or damaged.

    Two processes that ask at once make one entry: the second waits for the first and reads what it made.

    Args:
        folder: the cache folder, made if missing.
        key: name of the entry; everything the content depends on must be hashed into it.
        build: makes the arrays, by name; those that are too large for memory as .npy files below ``folder``,
            which are moved. Its exceptions pass through and leave no entry.

    Returns:
        The arrays by name, read-only and backed by the files (nothing is read before it is used).

    Raises:
        CacheError: the folder cannot be written.
    """
    arrays = stored_arrays(folder, key)
    if arrays is not None:
        return arrays
    with locked(folder, key) as entry:
        arrays = _read(entry)
        if arrays is None:
            built = build()
            with explained(folder):
                _write(entry, built)
            arrays = _read(entry)
    if arrays is None:
        raise CacheError(f"The entry {printable(entry)} does not hold what was written; check the disk.")
    return arrays


def stored_arrays(folder: Path, key: str) -> dict[str, np.ndarray] | None:
    """The arrays stored under a key, as ``cached_arrays`` gives them, or None where there are none."""
    return _read(folder / key)


@contextmanager
def locked(folder: Path, key: str) -> Iterator[Path]:
    """The folder of an entry while no other process works on it.

    Raises:
        CacheError: the cache folder cannot be written.
    """
    from filelock import FileLock

    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{key}.lock")
        lock.acquire()
    try:
        yield folder / key
    finally:
        lock.release()


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what the disk answers into one sentence."""
    try:
        yield
    except OSError as error:
        raise CacheError(
            f"The cache folder {printable(folder)} cannot be written ({error.strerror or error}); "
            "make room there or choose another one."
        ) from error


def _write(entry: Path, arrays: Mapping[str, np.ndarray | Path]) -> None:
    """Write beside the entry and rename: a reader sees all of it or nothing."""
    unfinished = entry.with_name(f"{entry.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        # Files are read where they lie: whoever is interrupted meanwhile, which may take minutes, still has them.
        files = {name: array for name, array in arrays.items() if isinstance(array, Path)}
        with ThreadPoolExecutor() as pool:
            sums = dict(zip(files, pool.map(_seal, files.values()), strict=True))
        for name, array in arrays.items():
            path = unfinished / f"{name}.npy"
            if isinstance(array, Path):
                os.replace(array, path)
            else:
                np.save(path, np.ascontiguousarray(array), allow_pickle=False)
                sums[name] = _seal(path)
        (unfinished / CHECKSUMS).write_text(json.dumps(sums), encoding="ascii")
        shutil.rmtree(entry, ignore_errors=True)
        unfinished.rename(entry)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _read(entry: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an entry, or None where it is missing or not what was written."""
    try:
        sums = json.loads((entry / CHECKSUMS).read_text(encoding="ascii"))
        if not sums or not all(_is_whole(entry / f"{name}.npy", seal) for name, seal in sums.items()):
            return None
        # Plain arrays over the mapping: Ray's object store takes them without a copy, unlike np.memmap.
        return {
            name: np.asarray(np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in sums
        }
    except (OSError, ValueError, AttributeError, TypeError):  # unreadable, or not the JSON that was written
        return None


def _seal(path: Path) -> list[int]:
    """Checksum, size and modification time (ns) of a finished file."""
    status = path.stat()
    return [_checksum(path), status.st_size, status.st_mtime_ns]


def _is_whole(path: Path, seal: list[int]) -> bool:
    """Whether a file is what was written; large ones are read for that only if their time has changed."""
    checksum, size, modified = seal
    status = path.stat()
    if status.st_size != size:
        return False
    return (size > ALWAYS_READ and status.st_mtime_ns == modified) or _checksum(path) == checksum


def restore_times(entry: Path) -> None:
    """Give files that were copied, and found whole, the times they were written with, so that they are trusted."""
    sums = json.loads((entry / CHECKSUMS).read_text(encoding="ascii"))
    for name, (_, _, modified) in sums.items():
        os.utime(entry / f"{name}.npy", ns=(modified, modified))


def _checksum(path: Path) -> int:
    """CRC-32 of a file: against decay and half-written files, not against an attacker."""
    total = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            total = zlib.crc32(block, total)
    return total
