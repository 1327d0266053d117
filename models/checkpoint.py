"""Tensors and state on disk: safetensors and JSON, checked by SHA-256. No pickle is read or written."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.errors import ModelError

TENSORS = "tensors.safetensors"
STATE = "state.json"


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint so that at every moment a whole one, the old or the new, is there.

    Args:
        folder: Becomes `folder/tensors.safetensors` and `folder/state.json`; replaced if it exists.
        tensors: Contiguous tensors by name.
        state: Anything JSON can hold; NaN and infinities too.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    fresh.mkdir()
    try:
        save_file(dict(tensors), fresh / TENSORS)
        document = {"tensors_sha256": _file_sha256(fresh / TENSORS), "state_sha256": _state_sha256(state)}
        (fresh / STATE).write_text(json.dumps(document | {"state": state}), encoding="utf-8")
        _replace(folder, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and state of a checkpoint.

    Raises:
        ModelError: The checkpoint is missing, truncated or was changed; the message names the file.
    """
    if not folder.exists():
        folder = _previous(folder)  # a save died between its two renames
    state_file, tensors_file = folder / STATE, folder / TENSORS
    for path in (state_file, tensors_file):
        if not path.is_file():
            raise ModelError(f"The checkpoint file {path} is missing.")
    try:
        document = json.loads(state_file.read_text(encoding="utf-8"))
        state, state_sha256 = document["state"], document["state_sha256"]
        tensors_sha256 = document["tensors_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The checkpoint file {state_file} is damaged.") from error
    if _state_sha256(state) != state_sha256:
        raise ModelError(f"The checkpoint file {state_file} was changed after it was written.")
    if _file_sha256(tensors_file) != tensors_sha256:
        raise ModelError(
            f"The checkpoint file {tensors_file} is truncated or was changed after it was written."
        )
    return load_weights(tensors_file)[0], state


def save_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write one safetensors file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        save_file(dict(tensors), fresh, metadata=dict(metadata))
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors (on the CPU) and metadata of a safetensors file.

    Raises:
        ModelError: The file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ModelError(f"The weights file {path} is missing.") from error
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The weights file {path} is damaged or no safetensors file.") from error


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.previous")


def _replace(folder: Path, fresh: Path) -> None:
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        os.rename(folder, previous)
    os.rename(fresh, folder)
    shutil.rmtree(previous, ignore_errors=True)


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _state_sha256(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
