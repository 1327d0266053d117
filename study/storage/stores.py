"""The two kinds of store behind `study.storage.storage.Storage`: a folder and an object store.

Both lay a checkpoint out as `KEY/000007/FILES`; they differ in how a version becomes whole.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from data_utils.addresses import store_at

TEMPORARY = ".writing-"
MARKER = ".complete"
NUMBER = re.compile(r"\d{6,}")
VERSIONED = re.compile(rf"(?P<key>.+?)/(?P<number>\d{{6,}})(?P<rest>/.*|{re.escape(MARKER)})")


class Store(Protocol):
    """What a folder and an object store both do; `names` lists paths relative to the root."""

    def save(self, key: str, folder: Path) -> None: ...
    def fetch(self, key: str, into: Path) -> Path | None: ...
    def put_file(self, key: str, path: Path) -> None: ...
    def get_file(self, key: str, into: Path) -> Path | None: ...
    def staging(self, folder: str) -> AbstractContextManager[Path]: ...
    def write_probe(self, key: str) -> None: ...
    def delete(self, prefix: str) -> None: ...
    def size(self, prefix: str) -> int: ...
    def names(self, prefix: str) -> list[str]: ...


class Folder:
    """A folder on this machine or on a file system that all nodes mount."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def save(self, key: str, folder: Path) -> None:
        home = self._root / key
        home.mkdir(parents=True, exist_ok=True)
        before = list(home.iterdir())
        number = 1 + max((int(path.name) for path in before if NUMBER.fullmatch(path.name)), default=0)
        writing = home / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            writing.mkdir()
            for path in _files(folder):
                _copy_synced(path, writing / path.relative_to(folder))
            writing.rename(home / f"{number:06d}")
        except OSError:
            shutil.rmtree(writing, ignore_errors=True)
            raise
        _sync(home)
        for path in before:
            if NUMBER.fullmatch(path.name) or path.name.startswith(TEMPORARY):
                shutil.rmtree(path)

    def fetch(self, key: str, into: Path) -> Path | None:
        home = self._root / key
        versions = [path for path in home.iterdir() if NUMBER.fullmatch(path.name)] if home.is_dir() else []
        return max(versions, key=lambda path: int(path.name), default=None)

    def put_file(self, key: str, path: Path) -> None:
        target = self._root / key
        writing = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
        try:
            _copy_synced(path, writing)
            writing.replace(target)
        except OSError:
            writing.unlink(missing_ok=True)
            raise
        _sync(target.parent)

    def get_file(self, key: str, into: Path) -> Path | None:
        path = self._root / key
        return path if path.is_file() else None

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        home = self._root / folder
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob(f"{TEMPORARY}*/"):
            shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(prefix=TEMPORARY, dir=home) as temporary:
            yield Path(temporary)

    def write_probe(self, key: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / key).write_bytes(b"probe")

    def delete(self, prefix: str) -> None:
        path = self._root / prefix
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def size(self, prefix: str) -> int:
        path = self._root / prefix
        return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())

    def names(self, prefix: str) -> list[str]:
        start = self._root / prefix
        paths = [start] if start.is_file() else list(start.rglob("*"))
        versions = [path for path in paths if NUMBER.fullmatch(path.name)]
        files = [path for path in paths if path.is_file()]
        names = [path.relative_to(self._root).as_posix() for path in files]
        whole = [f"{path.relative_to(self._root).as_posix()}{MARKER}" for path in versions]
        return whole + [name for name in names if TEMPORARY not in name]


class ObjectStore:
    """Any store that fsspec speaks to."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def save(self, key: str, folder: Path) -> None:
        store, home = self._at(key)
        before = {match["number"] for match in self._versions(key)}
        version = f"{home}/{1 + max(map(int, before), default=0):06d}"
        for path in _files(folder):
            store.put_file(str(path), f"{version}/{path.relative_to(folder).as_posix()}")
        store.pipe_file(f"{version}{MARKER}", b"complete")
        for number in sorted(before):
            for stale in (f"{home}/{number}{MARKER}", f"{home}/{number}"):
                if store.exists(stale):
                    store.rm(stale, recursive=True)

    def fetch(self, key: str, into: Path) -> Path | None:
        store, home = self._at(key)
        whole = [match["number"] for match in self._versions(key) if match["rest"] == MARKER]
        if not whole:
            return None
        version = f"{home}/{max(whole, key=int)}"
        for remote in store.find(version):
            local = into / PurePosixPath(remote).relative_to(version)
            local.parent.mkdir(parents=True, exist_ok=True)
            store.get_file(remote, str(local))
        return into

    def put_file(self, key: str, path: Path) -> None:
        store, remote = self._at(key)
        store.put_file(str(path), remote)

    def get_file(self, key: str, into: Path) -> Path | None:
        store, remote = self._at(key)
        if not store.isfile(remote):
            return None
        into.mkdir(parents=True, exist_ok=True)
        store.get_file(remote, str(into / PurePosixPath(key).name))
        return into / PurePosixPath(key).name

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        with TemporaryDirectory() as temporary:
            yield Path(temporary)

    def write_probe(self, key: str) -> None:
        store, remote = self._at(key)
        store.pipe_file(remote, b"probe")

    def delete(self, prefix: str) -> None:
        store, remote = self._at(prefix)
        if store.exists(remote):
            store.rm(remote, recursive=True)

    def size(self, prefix: str) -> int:
        store, remote = self._at(prefix)
        return int(store.du(remote)) if store.exists(remote) else 0

    def names(self, prefix: str) -> list[str]:
        store, root = self._at("")
        start = f"{root}/{prefix}".rstrip("/")
        return [PurePosixPath(name).relative_to(root).as_posix() for name in store.find(start)]

    def _versions(self, key: str) -> list[re.Match[str]]:
        """Returns the objects of all versions of `key`, whole or not."""
        matches = (VERSIONED.fullmatch(name) for name in self.names(key))
        return [match for match in matches if match and match["key"] == key]

    def _at(self, key: str) -> tuple[Any, str]:
        """Returns the file system (fsspec keeps one per process) and the key's path inside it."""
        store, root = store_at(self._uri)
        return store, f"{root.rstrip('/')}/{key}".rstrip("/")


def keys_of(names: list[str]) -> set[str]:
    """Returns the keys behind stored names: single files, and versions that have their marker."""
    keys = set()
    for name in names:
        match = VERSIONED.fullmatch(name)
        if match is None:
            keys.add(name)
        elif match["rest"] == MARKER:
            keys.add(match["key"])
    return keys


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy_synced(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
