"""Which images a folder holds and which of them belong together: recognised, never asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_utils.errors import DataError, printable
from data_utils.folders import EXTENSIONS, Tree, describe_kinds, walk
from data_utils.wording import counted

__all__ = [
    "EXTENSIONS",
    "Entry",
    "Found",
    "Layout",
    "LayoutKind",
    "known_layouts",
    "recognise",
    "register_layout",
]

SHOWN_NAMES = 5  # of a list of offending files in one sentence


@dataclass(frozen=True)
class Entry:
    """One image: its colour file and, where the dataset supplies them, grey file, category and split."""

    colour: Path
    grey: Path | None = None
    category: str | None = None
    split: str | None = None  # "train", "validation" or "test"


@dataclass(frozen=True)
class Layout:
    """The images of a folder, in an order that does not depend on the file system.

    Attributes:
        kind: The name of a layout in ``known_layouts``.
        root: The folder.
        entries: Its images.
        unpaired: Files without partner, left out of ``entries``; empty unless they were asked to be skipped.
        left_out: What else lies there and is not used, one phrase each.
    """

    kind: str
    root: Path
    entries: tuple[Entry, ...]
    unpaired: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass
class Found:
    """What a recogniser makes of a folder.

    Attributes:
        entries: The images, in a fixed order.
        unpaired: Files that should have a partner and have none.
        outside: Images that do not belong to the layout.
    """

    entries: list[Entry]
    unpaired: list[Path] = field(default_factory=list)
    outside: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class LayoutKind:
    """One row of the table of layouts.

    Attributes:
        name: In messages, tables and ``ImageSet.layout``.
        looks_like: What such a folder holds, as a phrase that follows "a folder".
        recognise: Says what is in a folder, or None where it is of another layout.
        strong: Whether finding it below a folder means that this folder was meant to be given.
    """

    name: str
    looks_like: str
    recognise: Callable[[Tree], Found | None]
    strong: bool = True


_TABLE: list[LayoutKind] = []


def register_layout(kind: LayoutKind, *, last: bool = False) -> None:
    """Add a layout to the table; the latest is asked first, so that a plug-in may refine a built-in one.

    Args:
        kind: The layout.
        last: Ask it after all others.

    Raises:
        ValueError: The name is taken by another layout.
    """
    for known in _TABLE:
        if known.name == kind.name and known != kind:
            raise ValueError(f"a layout named {kind.name} is registered already")
    if kind not in _TABLE:
        _TABLE.insert(len(_TABLE) if last else 0, kind)


def known_layouts() -> tuple[LayoutKind, ...]:
    """All layouts in the order in which they are asked."""
    import data_utils.layout_kinds  # noqa: F401  registers the built-in ones

    return tuple(_TABLE)


def recognise(root: str | Path, *, skip_unpaired: bool = False) -> Layout:
    """Recognise the layout of a folder by listing it (see ``known_layouts``).

    Files are taken by their suffix; hidden files and folders are left alone. A folder that holds nothing but
    another one which has a layout stands for that one.

    Args:
        root: The folder, or a manifest (CSV or JSON) that names files.
        skip_unpaired: List files without partner in ``unpaired`` instead of refusing the folder.

    Raises:
        DataError: Missing, unreadable or empty folder, unknown layout, or a file without partner.
    """
    from data_utils.manifests import is_manifest, read_manifest

    root = Path(root)
    if is_manifest(root):
        return _layout("manifest", Tree(root.parent, ()), read_manifest(root), skip_unpaired)
    tree = walk(root)
    if tree.unreadable:
        raise DataError(
            f"{printable(tree.unreadable[0])} cannot be listed; check its permissions, or give another folder."
        )
    meant = _meant(tree)
    for kind in known_layouts():
        found = kind.recognise(meant)
        if found is not None and (found.entries or found.unpaired):
            return _layout(kind.name, replace(meant, others=tree.others), found, skip_unpaired)
    raise _nothing(tree)


def _layout(name: str, tree: Tree, found: Found, skip_unpaired: bool) -> Layout:
    root = printable(tree.root)
    if found.unpaired and not skip_unpaired:
        raise DataError(
            f"{root} holds {counted(len(found.unpaired), 'file')} without a partner of the same name: "
            f"{_listed(found.unpaired, tree.root)}; add the missing files, remove these, or leave them out "
            "with --skip-bad-images."
        )
    if not found.entries:
        raise DataError(
            f"No image in {root} has a partner of the same name; give grey and "
            "colour files of one picture the same name."
        )
    left_out = []
    if found.outside:
        listed = _listed(found.outside, tree.root)
        left_out.append(f"{counted(len(found.outside), 'image')} outside of the layout {name}: {listed}")
    if tree.others:
        left_out.append(
            f"{counted(sum(tree.others.values()), 'file')} of other kinds: {describe_kinds(tree.others)}"
        )
    return Layout(name, tree.root, tuple(found.entries), tuple(found.unpaired), tuple(left_out))


def _listed(paths: list[Path], root: Path) -> str:
    shown = ", ".join(printable(path.relative_to(root)) for path in paths[:SHOWN_NAMES])
    return shown + (f" and {len(paths) - SHOWN_NAMES} more" if len(paths) > SHOWN_NAMES else "")


def _meant(tree: Tree) -> Tree:
    """The folder itself, or the one dataset that lies in it.

    Raises:
        DataError: Datasets of their own lie beside each other, or beside other images.
    """
    if _strong(tree) is not None:
        return tree
    inner = tree.children()
    datasets = {name: kind for name, below in inner.items() if (kind := _strong(below)) is not None}
    whole = [below for below in inner.values() if len(below.images) == len(tree.images)]
    if whole:  # a folder in a folder, as archives unpack them
        deeper = _meant(whole[0])
        return deeper if _strong(deeper) is not None else tree
    if not datasets:
        return tree
    seen = ", ".join(f"{printable(name)} ({kind})" for name, kind in datasets.items())
    others = len(tree.images) - sum(len(inner[name].images) for name in datasets)
    beside = f" and {counted(others, 'other image')}" if others else ""
    raise DataError(
        f"{printable(tree.root)} holds {seen}{beside}; give one dataset, such as "
        f"{printable(tree.root / next(iter(datasets)))}."
    )


def _strong(tree: Tree) -> str | None:
    for kind in known_layouts():
        if kind.strong and kind.recognise(tree) is not None:
            return kind.name
    return None


def _nothing(tree: Tree) -> DataError:
    empty = not tree.images and not tree.folders and not tree.others
    found = "is empty" if empty else "holds no images in a known layout"
    kinds = f" (but {describe_kinds(tree.others)})" if tree.others else ""
    known = ", or one ".join(kind.looks_like for kind in reversed(known_layouts()))
    return DataError(f"{printable(tree.root)} {found}{kinds}; give a folder {known}.")
