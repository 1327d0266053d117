"""Images that came out of a shard: into one folder for each category, where all have one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


class UnusableShard(Exception):
    """A shard cannot be read; the text says why and follows its name in a sentence."""


def in_categories(images: Mapping[Key, Path], categories: Mapping[Key, str], folder: Path) -> list[Path]:
    """Move images into folders below theirs, unless one lacks a category.

    Args:
        images: Files directly in the folder.
        categories: Names as a folder can have them; empty for none.
        folder: Where they lie.

    Returns:
        The files.
    """
    if not all(categories.get(key) for key in images):
        return list(images.values())
    for name in set(categories.values()):
        (folder / name).mkdir(exist_ok=True)
    return [path.rename(folder / categories[key] / path.name) for key, path in images.items()]
