"""Where trials keep their checkpoints: a folder that every node sees, or an object store.

A checkpoint is a local folder of files. Publishing it makes a new numbered version of its key; a version
is either whole or it does not exist for a reader:

* in a folder, files are written and synced under a temporary name and the folder is then renamed;
* in an object store, which has no rename, a small marker object is written after the last file.

The version before is removed only after the new one is whole, so that a writer killed at any instant, a full
disk or a store that went away leaves the last good checkpoint. A key has one writer at a time (its trial).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from data_utils.addresses import require_store
from data_utils.errors import DISK_IS_FULL, DataError
from study.errors import StudyError, UsageError, first_line
from study.storage.stores import MARKER, NUMBER, TEMPORARY, Folder, ObjectStore, Store, keys_of

_FULL = "the disk is full; free some space and resume"


class StorageError(StudyError):
    """A checkpoint could not be written or read; the message names the store and the key."""


class Storage:
    """Versioned checkpoints and single files under one URI; can be pickled and used on any node.

    Args:
        uri: A folder (a path or `file://`), shared by all nodes on a cluster, or an address that fsspec
            understands such as `s3://bucket/prefix`. Credentials and endpoint come from the environment
            (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`).

    Raises:
        UsageError: The URI carries credentials or options, or no installed package speaks its scheme.

    Example:
        >>> storage = Storage("s3://studies/photos")
        >>> storage.save("scenes-unet/7", Path("checkpoint"))
        >>> storage.fetch("scenes-unet/7", into=Path("restored"))
        PosixPath('restored')
    """

    def __init__(self, uri: str) -> None:
        self.uri = _checked_uri(uri)
        self._store: Store = Folder(self.uri) if "://" not in self.uri else ObjectStore(self.uri)

    def __repr__(self) -> str:
        return f"Storage({self.uri!r})"

    def check(self) -> None:
        """Writes and removes a probe.

        Raises:
            StorageError: The store cannot be reached or written to.
        """
        probe = f"probe-{uuid.uuid4().hex}"
        with self._named("write", probe):
            self._store.write_probe(probe)
            self._store.delete(probe)

    def save(self, key: str, folder: Path) -> None:
        """Publishes the files of `folder` as the newest version of `key`, then removes older versions.

        Raises:
            StorageError: The disk is full or the store away; the last whole version is still there.
        """
        with self._named("save", key):
            self._store.save(key, folder)

    def fetch(self, key: str, into: Path) -> Path | None:
        """Returns a local folder with the newest whole version of `key`, or None where there is none.

        Args:
            key: What `save` was given.
            into: The folder to download to. A local store returns its own folder instead (read only).

        Raises:
            StorageError: The store cannot be read.
        """
        with self._named("fetch", key):
            return self._store.fetch(key, into)

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        """A temporary folder for files on their way to a key: where the study keeps its things, if that is a folder.

        Args:
            folder: A key that is a folder and has one writer; what a killed writer left in it is removed.

        Raises:
            StorageError: The disk is full, also while the files are written to the staging folder.
        """
        try:
            with self._store.staging(folder) as temporary:
                yield temporary
        except Exception as error:  # safetensors and Pillow have errors of their own for a full disk
            if isinstance(error, StorageError) or not _is_full(error):
                raise
            raise StorageError(
                f"Cannot stage files for '{folder}' of storage {self.uri}: {_FULL}."
            ) from error

    def put_file(self, key: str, path: Path) -> None:
        """Stores one file under `key`, replacing an older one in a single step.

        Raises:
            StorageError: The disk is full or the store away; the older file is still there.
        """
        with self._named("save", key):
            self._store.put_file(key, path)

    def get_file(self, key: str, into: Path) -> Path | None:
        """Returns a local path to the file stored under `key`, or None where there is none.

        Args:
            key: What `put_file` was given.
            into: The folder to download to. A local store returns its own file instead (read only).

        Raises:
            StorageError: The store cannot be read.
        """
        with self._named("fetch", key):
            return self._store.get_file(key, into)

    def delete(self, prefix: str) -> None:
        """Removes the key `prefix` and everything below it; nothing happens where nothing is.

        Raises:
            StorageError: The store cannot be written to.
        """
        with self._named("delete", prefix):
            self._store.delete(prefix)

    def size(self, prefix: str) -> int:
        """Returns the bytes of everything at and below `prefix`.

        Raises:
            StorageError: The store cannot be read.
        """
        with self._named("measure", prefix):
            return self._store.size(prefix)

    def keys(self, prefix: str) -> list[str]:
        """Returns the sorted keys at or below `prefix` that hold a file or a whole version ("" for all).

        Raises:
            StorageError: The store cannot be read.
        """
        with self._named("list", prefix):
            return sorted(keys_of(self._store.names(prefix)))

    @contextmanager
    def _named(self, action: str, key: str) -> Iterator[None]:
        _check_key(key)
        try:
            yield
        except Exception as error:  # every fsspec implementation raises errors of its own kinds
            reason = _FULL if _is_full(error) else first_line(error)
            raise StorageError(f"Cannot {action} '{key}' in storage {self.uri}: {reason}.") from error


def _is_full(error: Exception) -> bool:
    """Whether a disk or a quota is used up; safetensors has the number in its text alone."""
    return getattr(error, "errno", None) in DISK_IS_FULL or any(
        f"(os error {one})" in str(error) for one in DISK_IS_FULL
    )


def _checked_uri(uri: str) -> str:
    """Returns an absolute folder, or the address of an object store without a trailing slash."""
    if "://" not in uri:
        return str(Path(uri).expanduser().absolute())
    parts = urlsplit(uri)
    try:
        require_store(uri)
    except DataError as error:
        raise UsageError(f"storage: {error}") from error
    return str(Path(unquote(parts.path))) if parts.scheme == "file" else uri.rstrip("/")


def _check_key(key: str) -> None:
    """Refuses keys that would leave the storage or be mistaken for its own names; "" is the root."""
    parts = key.split("/") if key else []
    if any(part in ("", ".", "..") or part.startswith(TEMPORARY) for part in parts):
        raise ValueError(f"'{key}' cannot be a storage key: use names separated by single slashes.")
    if any(NUMBER.fullmatch(part.removesuffix(MARKER)) for part in parts):
        raise ValueError(f"'{key}' cannot be a storage key: six digits alone are the name of a version.")
