"""Whose a storage is: the small object `study.json` at its root."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from study.storage.storage import Storage, StorageError

OWNER = "study.json"
_TRIALS = "trials"


def storage_owner(storage: Storage) -> str | None:
    """The identity of the study whose storage this is; None if it carries none.

    Raises:
        StorageError: If the storage cannot be read, or its mark is damaged.
    """
    with TemporaryDirectory() as folder:
        file = storage.get_file(OWNER, Path(folder))
        if file is None:
            return None
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["identity"])
        except (ValueError, KeyError, TypeError):
            raise StorageError(
                f"{OWNER} in storage {storage.uri} is damaged; restore it, or choose another --storage."
            ) from None


def set_storage_owner(storage: Storage, name: str, identity: str) -> None:
    """Mark a storage as the one of a study.

    Raises:
        StorageError: If it cannot be written.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / OWNER
        file.write_text(json.dumps({"name": name, "identity": identity}), encoding="utf-8")
        storage.put_file(OWNER, file)


def holds_trials(storage: Storage) -> bool:
    """Whether a storage holds files of trials.

    Raises:
        StorageError: If it cannot be read.
    """
    return bool(storage.keys(_TRIALS))
