"""What lies below a folder: image files in a fixed order, and a count of everything that is none."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from data_utils.errors import DataError, printable

_HEIF = ("heic", "heif", "hif")
_OTHERS = "jpg jpeg jpe jfif mpo jp2 png apng bmp gif tif tiff webp avif ppm pgm pbm pnm"
EXTENSIONS = frozenset(f".{name}" for name in (*_OTHERS.split(), *_HEIF))
# Thumbnails, waste baskets and bookkeeping of network drives, archives and operating systems.
_SYSTEM_FOLDERS = frozenset(
    {"__macosx", "$recycle.bin", "system volume information", "lost+found", "#recycle", "#snapshot"}
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})


@dataclass(frozen=True)
class Tree:
    """A folder with all below it, listed once.

    Attributes:
        root: The folder.
        images: Image files (by their suffix), those of a folder before those of its sub-folders, each sorted
            by the bytes of their names.
        folders: Names of the visible folders directly in the root, sorted likewise, also empty ones.
        others: Number of other visible files by suffix in lower case, ``""`` for files without one.
        unreadable: Sub-folders that could not be listed.
    """

    root: Path
    images: tuple[Path, ...]
    folders: tuple[str, ...] = ()
    others: Counter[str] = field(default_factory=Counter)
    unreadable: tuple[Path, ...] = ()

    @cached_property
    def parts(self) -> dict[Path, tuple[str, ...]]:
        """The folders between the root and each image."""
        depth = len(self.root.parts)
        return {path: path.parts[depth:-1] for path in self.images}

    def children(self) -> dict[str, Tree]:
        """The parts of this tree that lie in its folders, by name; empty folders have none.

        Other files are not counted again.
        """
        images: dict[str, list[Path]] = {}
        for path, parts in self.parts.items():
            if parts:
                images.setdefault(parts[0], []).append(path)
        depth = len(self.root.parts) + 1
        return {
            name: Tree(
                self.root / name,
                tuple(paths),
                tuple(dict.fromkeys(path.parts[depth] for path in paths if len(path.parts) > depth + 1)),
            )
            for name, paths in images.items()
        }


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is hidden or a system's own, and no user's photograph."""
    lowered = name.lower()
    return name.startswith((".", "@")) or lowered in _SYSTEM_FOLDERS or lowered in _SYSTEM_FILES


def walk(root: Path) -> Tree:
    """List a folder and all below it.

    Linked folders are followed unless they lead into the folder itself or to one above it.

    Raises:
        DataError: The folder is missing, no folder, or cannot be listed. Sub-folders that cannot be listed are
            in ``unreadable``.
    """
    top, _ = _names(root)
    unreadable: list[Path] = []
    images: list[Path] = []
    others: Counter[str] = Counter()
    for folder, files in _descend(root, os.path.realpath(root), set(), unreadable):
        for name in files:
            suffix = os.path.splitext(name)[1].lower()
            if suffix in EXTENSIONS:
                # Also dangling links and links in a loop, so that the decoder refuses them by name.
                images.append(folder / name)
            else:
                others[suffix] += 1
    return Tree(root, tuple(images), tuple(top), others, tuple(unreadable))


def _descend(
    folder: Path, home: str, followed: set[str], unreadable: list[Path]
) -> Iterator[tuple[Path, list[str]]]:
    """A folder, then those below it, with the sorted names of their visible files."""
    try:
        folders, files = _names(folder)
    except DataError:
        unreadable.append(folder)
        return
    yield folder, files
    for name in folders:
        if _is_new(folder / name, home, followed):
            yield from _descend(folder / name, home, followed, unreadable)


def _names(folder: Path) -> tuple[list[str], list[str]]:
    try:
        with os.scandir(folder) as found:
            names = sorted((e.name for e in found if not is_left_out(e.name)), key=os.fsencode)
        folders = {name for name in names if os.path.isdir(folder / name)}
    except FileNotFoundError as error:
        raise DataError(f"{printable(folder)} does not exist; check the path of the dataset.") from error
    except NotADirectoryError as error:
        raise DataError(f"{printable(folder)} is a file; give the folder that holds the images.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{printable(folder)} cannot be listed ({reason}); check its path and its permissions."
        ) from error
    return [name for name in names if name in folders], [name for name in names if name not in folders]


def _is_new(folder: Path, home: str, followed: set[str]) -> bool:
    """Whether a folder is to be entered: no link, or one that leads to a place not seen otherwise."""
    if not folder.is_symlink():
        return True
    real = os.path.realpath(folder)
    inside = os.path.commonpath([home, real])
    if inside in (home, real) or real in followed:
        return False
    followed.add(real)
    return True


def describe_kinds(others: Counter[str]) -> str:
    """Other files by kind in one phrase, most frequent first, such as ``3 .txt, 1 without suffix``."""
    return ", ".join(
        f"{count} {printable(suffix) or 'without suffix'}" for suffix, count in others.most_common()
    )
