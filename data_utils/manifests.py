"""Datasets listed in a table: a CSV or JSON file that names the images and what is known of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_utils.errors import DataError, printable
from data_utils.folders import Tree
from data_utils.layouts import Entry, Found
from data_utils.splits import SPLIT_NAMES
from data_utils.wording import counted

MANIFESTS = ("manifest.csv", "manifest.json")
_COLOUR, _GREY, _CATEGORY = ("color", "colour"), ("gray", "grey"), ("category", "label")
_SPLITS = {
    "train": "train",
    "val": "validation",
    "validation": "validation",
    "valid": "validation",
    "test": "test",
}


def is_manifest(path: Path) -> bool:
    """Whether a path that was given as a dataset is such a table."""
    return path.suffix.lower() in (".csv", ".json") and path.is_file()


def manifest_of(tree: Tree) -> Found | None:
    """Read the manifest in a folder; tables of other contents are none."""
    for name in MANIFESTS:
        path = tree.root / name
        if path.is_file():
            rows = _rows(path, demanded=False)
            if rows and any(_field(row, _COLOUR) for row in rows):
                found = read_manifest(path)
                listed = {file for entry in found.entries for file in (entry.colour, entry.grey)}
                found.outside = [image for image in tree.images if image not in listed]
                return found
    return None


def read_manifest(path: Path) -> Found:
    """Read a manifest.

    Each row (CSV) or object (a JSON list) has ``color``, and may have ``gray``, ``category`` and ``split``
    (train, validation or test). Files are relative to the manifest's folder.

    Raises:
        DataError: It cannot be read, or a row names no file, one outside of the folder, or an unknown split.
    """
    entries = []
    for number, row in enumerate(_rows(path, demanded=True), 1):
        where = f"Row {number} of {printable(path)}"
        colour = _file(path, _field(row, _COLOUR), where)
        if colour is None:
            raise DataError(f"{where} has no field 'color'; name the colour file there.")
        split = _field(row, ("split",))
        if split and split.lower() not in _SPLITS:
            raise DataError(
                f"{where} has the split {printable(split)}; use {', '.join(SPLIT_NAMES)} or leave it out."
            )
        grey = _file(path, _field(row, _GREY), where)
        entries.append(
            Entry(colour, grey, _field(row, _CATEGORY) or None, _SPLITS[split.lower()] if split else None)
        )
    if not entries:
        raise DataError(f"{printable(path)} lists no images.")
    repeated = len(entries) - len({entry.colour for entry in entries})
    if repeated:
        raise DataError(f"{printable(path)} lists {counted(repeated, 'file')} twice; list every image once.")
    return Found(entries)


def _rows(path: Path, *, demanded: bool) -> list[Mapping[str, Any]]:
    """The rows as mappings with lower-case keys."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return [{str(key).strip().lower(): value for key, value in row.items()} for row in rows]
        reason = "it is no list of objects"
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        reason = " ".join(str(error).split())
    if demanded:
        raise DataError(f"{printable(path)} cannot be read as a manifest ({reason}); correct it.")
    return []


def _field(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = row.get(name)
        if value not in (None, ""):
            return str(value).strip()
    return ""


def _file(manifest: Path, name: str, where: str) -> Path | None:
    if not name:
        return None
    relative = Path(name.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(f"{where} names {printable(name)}; give files below the manifest's folder.")
    return manifest.parent / relative
