"""A folder of this machine with the images that lie at an address, fetched once and kept up to date."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from filelock import FileLock

from data_utils import parquet_shards, tar_shards
from data_utils.addresses import PARQUET, WEBDATASET, form_of, require_usable, shards_of, store_at
from data_utils.cache import explained
from data_utils.decode_dataset import Progress
from data_utils.errors import DISK_IS_FULL, DataError, printable
from data_utils.folders import EXTENSIONS, is_left_out
from data_utils.shard_images import UnusableShard

AT_ONCE = 64  # files; a store answers many requests as fast as one
_MANIFESTS = frozenset({".csv", ".json"})
_UNPACK = {WEBDATASET: tar_shards.unpack, PARQUET: parquet_shards.unpack}
_MODIFIED = ("LastModified", "last_modified", "mtime", "updated")  # as the file systems of fsspec call it


class _Remote(NamedTuple):
    """A file of a store: where it lies, its bytes where known, and its time in seconds since 1970 (0 if unknown)."""

    path: str
    size: int | None
    modified: float

    @classmethod
    def of(cls, path: str, info: dict[str, Any]) -> _Remote:
        found = next((info[name] for name in _MODIFIED if info.get(name)), 0.0)
        time = datetime.fromisoformat(found) if isinstance(found, str) else found
        return cls(path, info.get("size"), time.timestamp() if isinstance(time, datetime) else float(time))

    def is_at(self, path: Path) -> bool:
        """Whether a file of this machine is a copy of it."""
        if not path.is_file():
            return False
        status = path.stat()
        return self.size in (None, status.st_size) and int(status.st_mtime) == int(self.modified)

    def mark(self, path: Path) -> None:
        """Give a copy its time, in whole seconds: what the disk of every machine can keep."""
        os.utime(path, (int(self.modified), int(self.modified)))


def fetched_folder(address: str, cache: Path, progress: Progress | None = None) -> Path:
    """Fetch what this machine does not have yet of the images at an address, and remove what is gone there.

    A file counts as there while its size and time are those of the store, so that an interrupted call is continued
    and a later one fetches what has changed.

    Args:
        address: A folder as `SCHEME://…`, for any scheme that fsspec speaks, or shards as `webdataset:…` or
            `parquet:…`.
        cache: The cache folder, in which the files are kept.
        progress: Told how many of how many files or shards are there, now and then.

    Returns:
        The folder; its files have the times of the store's.

    Raises:
        DataError: The address is unusable, cannot be reached, or holds no images.
        CacheError: The cache folder cannot be written.
    """
    require_usable(address)
    folder = cache / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.fetched" / "images"
    with explained(cache):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name("lock")), _explained(address, cache):
        form = form_of(address)
        fetched = _fetch_shards(address, form, folder) if form else _fetch_files(address, folder)
        for done, total in fetched:
            if progress is not None:
                progress(done, total)
    return folder


@contextmanager
def _explained(address: str, cache: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # every file system of fsspec raises errors of its own kinds
        if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
            with explained(cache):
                raise
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(
            f"The images at {printable(address)} cannot be fetched ({printable(reason)}); check the address, the "
            "network and the credentials, and start again: what has arrived is kept."
        ) from error


def _fetch_files(address: str, folder: Path) -> Iterator[tuple[int, int]]:
    store, root = store_at(address)
    there = _listed(store, root)
    if not any(PurePosixPath(name).suffix.lower() in EXTENSIONS for name in there):
        raise DataError(
            f"{printable(address)} holds no images; shards are given as webdataset:ADDRESS.tar or "
            "parquet:ADDRESS.parquet."
        )
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in there:
            path.unlink()
    missing = [name for name, remote in there.items() if not remote.is_at(folder / name)]
    for start in range(0, len(missing), AT_ONCE):
        yield len(there) - len(missing) + start, len(there)
        chunk = {name: there[name] for name in missing[start : start + AT_ONCE]}
        with TemporaryDirectory(dir=folder.parent) as arriving:
            arrived = [Path(arriving, str(number)) for number in range(len(chunk))]
            store.get([remote.path for remote in chunk.values()], [str(path) for path in arrived])
            for (name, remote), path in zip(chunk.items(), arrived, strict=True):
                remote.mark(path)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                path.replace(folder / name)


def _listed(store: Any, root: str) -> dict[str, _Remote]:
    """The images below a path of a store, and what may be a manifest of them, by their names relative to it."""
    found = {}
    for path, info in sorted(store.find(root, detail=True).items()):
        name = PurePosixPath(path).relative_to(root)
        if name.suffix.lower() in EXTENSIONS | _MANIFESTS and not any(map(is_left_out, name.parts)):
            found[name.as_posix()] = _Remote.of(path, info)
    return found


def _fetch_shards(address: str, form: str, folder: Path) -> Iterator[tuple[int, int]]:
    shards, unpack = shards_of(address), _UNPACK[form]
    for number, shard in enumerate(shards):
        yield number, len(shards)
        store, path = store_at(shard)
        remote = _Remote.of(path, store.info(path))
        prefix = f"{number:06d}"
        unpacked = folder.with_name(f"{prefix}.json")
        if unpacked.exists() and json.loads(unpacked.read_text(encoding="utf-8")) == list(remote):
            continue
        for stale in folder.rglob(f"{prefix}-*"):
            stale.unlink()
        with store.open(path, "rb") as file:
            try:
                images = unpack(file, folder, prefix)
            except UnusableShard as error:
                raise DataError(f"{printable(shard)} {error}; replace it.") from error
        for image in images:
            remote.mark(image)
        unpacked.write_text(json.dumps(remote), encoding="utf-8")
    if not any(path.is_file() for path in folder.rglob("*")):
        raise DataError(f"{printable(address)} holds no images; give shards whose images lie in them.")
