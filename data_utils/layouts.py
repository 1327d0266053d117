"""Which images a folder holds and which of them belong together: recognised, never asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from data_utils.errors import DataError, printable

EXTENSIONS = frozenset(
    f".{name}"
    for name in "jpg jpeg jpe jfif jp2 png bmp gif tif tiff webp avif ppm pgm pbm pnm".split()  # noqa: SIM905
)
KAGGLE_FOLDERS = ("train_black", "train_color", "test_black", "test_color")
NATURAL_COLOR_FOLDERS = ("Gray", "ColorfulOriginal")
SHOWN_NAMES = 5  # of a list of offending files in one sentence


@dataclass(frozen=True)
class Entry:
    """One image: its colour file and, where the dataset supplies them, grey file, category and split."""

    colour: Path
    grey: Path | None = None
    category: str | None = None
    split: str | None = None  # "train" or "test"


@dataclass(frozen=True)
class Layout:
    """The images of a folder, in an order that does not depend on the file system.

    Attributes:
        kind: ``kaggle-pairs``, ``natural-color`` or ``colour-folder``.
        root: the folder.
        entries: its images.
        unpaired: files without partner, left out of ``entries``; empty unless they were asked to be skipped.
    """

    kind: str
    root: Path
    entries: tuple[Entry, ...]
    unpaired: tuple[Path, ...] = ()


def recognise(root: str | Path, *, skip_unpaired: bool = False) -> Layout:
    """Recognise the layout of a folder by listing it; no image is opened.

    * ``kaggle-pairs``: train_black, train_color, test_black, test_color, the same file name in both.
    * ``natural-color``: Gray/<Category>/ beside ColorfulOriginal/<Category>/, the same file name in both.
    * ``colour-folder``: images in the folder, or in one sub-folder per category (or both).

    Files are taken by extension; hidden files and folders are left alone.

    Args:
        root: the folder.
        skip_unpaired: list files without partner in ``unpaired`` instead of refusing the folder.

    Raises:
        DataError: missing, unreadable or empty folder, unknown layout, or a file without partner.
    """
    root = Path(root)
    folders, files = _listing(root)
    names = {folder.name for folder in folders}
    if names & set(KAGGLE_FOLDERS):
        _require(root, names, KAGGLE_FOLDERS)
        kind, (entries, unpaired) = "kaggle-pairs", _kaggle_pairs(root)
    elif names & set(NATURAL_COLOR_FOLDERS):
        _require(root, names, NATURAL_COLOR_FOLDERS)
        kind, (entries, unpaired) = "natural-color", _natural_color(root)
    else:
        kind, (entries, unpaired) = "colour-folder", (_colour_folder(root, folders, files), [])
    if unpaired and not skip_unpaired:
        shown = ", ".join(printable(p.relative_to(root)) for p in unpaired[:SHOWN_NAMES])
        more = f" and {len(unpaired) - SHOWN_NAMES} more" if len(unpaired) > SHOWN_NAMES else ""
        raise DataError(
            f"{printable(root)} holds {len(unpaired)} file(s) without a partner of the same name: "
            f"{shown}{more}; add the missing files, remove these, or leave them out with --skip-bad-images."
        )
    if not entries:
        found = "is empty" if not folders and not files else "holds no images in a known layout"
        raise DataError(
            f"{printable(root)} {found}; give a folder of colour images (optionally one sub-folder per "
            f"category), or one that holds {', '.join(KAGGLE_FOLDERS)}, or one that holds "
            f"{' and '.join(NATURAL_COLOR_FOLDERS)}."
        )
    return Layout(kind, root, tuple(entries), tuple(unpaired))


def _listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """Sub-folders and image files of a folder, each sorted by the bytes of their names."""
    try:
        with os.scandir(folder) as found:
            paths = sorted((folder / e.name for e in found if not e.name.startswith(".")), key=os.fsencode)
    except FileNotFoundError as error:
        raise DataError(f"{printable(folder)} does not exist; check the path of the dataset.") from error
    except NotADirectoryError as error:
        raise DataError(f"{printable(folder)} is a file; give the folder that holds the images.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{printable(folder)} cannot be listed ({reason}); check its path and its permissions."
        ) from error
    folders: list[Path] = []
    files: list[Path] = []
    for path in paths:
        if os.path.isdir(path):
            folders.append(path)
        elif path.suffix.lower() in EXTENSIONS:
            # Also dangling links and links in a loop, so that the decoder refuses them by name.
            files.append(path)
    return folders, files


def _require(root: Path, names: set[str], wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(
            f"{printable(root)} has {', '.join(n for n in wanted if n in names)} but not "
            f"{', '.join(missing)}; add what is missing, or give the folder of the colour images alone."
        )


def _pairs(
    grey: Path, colour: Path, category: str | None = None, split: str | None = None
) -> tuple[list[Entry], list[Path]]:
    """Pair the files of two folders by name; also return those without partner."""
    greys = {p.name: p for p in _listing(grey)[1]} if grey.is_dir() else {}
    colours = {p.name: p for p in _listing(colour)[1]} if colour.is_dir() else {}
    entries = [Entry(path, greys[n], category, split) for n, path in colours.items() if n in greys]
    alone = [p for n, p in chain(greys.items(), colours.items()) if (n in greys) != (n in colours)]
    return entries, alone


def _kaggle_pairs(root: Path) -> tuple[list[Entry], list[Path]]:
    train = _pairs(root / "train_black", root / "train_color", split="train")
    test = _pairs(root / "test_black", root / "test_color", split="test")
    return train[0] + test[0], train[1] + test[1]


def _natural_color(root: Path) -> tuple[list[Entry], list[Path]]:
    grey, colour = (root / name for name in NATURAL_COLOR_FOLDERS)
    categories = {p.name for p in chain(_listing(grey)[0], _listing(colour)[0])}
    entries: list[Entry] = []
    unpaired: list[Path] = []
    for name in sorted(categories, key=os.fsencode):
        paired, alone = _pairs(grey / name, colour / name, category=name)
        entries += paired
        unpaired += alone
    return entries, unpaired


def _colour_folder(root: Path, folders: list[Path], files: list[Path]) -> list[Entry]:
    entries = [Entry(path) for path in files]
    for folder in folders:
        if not _leads_back(folder, root):
            entries += [Entry(path, category=folder.name) for path in _listing(folder)[1]]
    return entries


def _leads_back(folder: Path, root: Path) -> bool:
    """Whether a sub-folder is a link to the folder itself or to one above it."""
    home, real = os.path.realpath(root), os.path.realpath(folder)
    return os.path.commonpath([home, real]) == real
