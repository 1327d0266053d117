"""The layouts that come with the software."""

from __future__ import annotations

from pathlib import Path

from data_utils.decode_image import is_colourless
from data_utils.errors import DataError, printable
from data_utils.folders import Tree
from data_utils.layouts import Entry, Found, LayoutKind, register_layout
from data_utils.manifests import MANIFESTS, manifest_of
from data_utils.pairing import by_split, category_of, pairs_of, places_of, role_of

KAGGLE_FOLDERS = ("train_black", "train_color", "test_black", "test_color")
NATURAL_COLOR_FOLDERS = ("Gray", "ColorfulOriginal")
PEEKED = 8  # files that are opened to tell a grey folder from a coloured one


def kaggle_pairs(tree: Tree) -> Found | None:
    """The Image Colorization Dataset."""
    return _named_pairs(tree, KAGGLE_FOLDERS)


def natural_color(tree: Tree) -> Found | None:
    """The Natural-Color Dataset."""
    return _named_pairs(tree, NATURAL_COLOR_FOLDERS)


def _named_pairs(tree: Tree, wanted: tuple[str, ...]) -> Found | None:
    there = [name for name in wanted if name in tree.folders]
    if not there or (len(there) < len(wanted) and _paired_elsewhere(tree)):
        return None
    missing = [name for name in wanted if name not in there]
    if missing:
        raise DataError(
            f"{printable(tree.root)} has {', '.join(there)} but not {', '.join(missing)}; add what is missing, "
            "or give the folder of the colour images alone."
        )
    return pairs_of(tree, places_of(tree), "grey", "colour")


def _paired_elsewhere(tree: Tree) -> bool:
    """Whether the folders form pairs under other names, such as Gray beside Color."""
    roles = [role_of(name) for name in tree.folders]
    return {"grey", "colour"} <= {role[1] for role in roles if role}


def paired_folders(tree: Tree) -> Found | None:
    """A grey and a colour folder under any of their usual names, per split or not."""
    places = places_of(tree)
    if {"grey", "colour"} <= {place.side for place in places.values()}:
        return pairs_of(tree, places, "grey", "colour")
    return None


def translation_folders(tree: Tree) -> Found | None:
    """Folders as programs for image-to-image translation want them; a look at the pixels tells the sides."""
    places = places_of(tree)
    sides = {side: [path for path, place in places.items() if place.side == side] for side in ("a", "b")}
    if not all(sides.values()):
        return None
    grey = [side for side, paths in sides.items() if _mostly_colourless(paths)]
    if len(grey) != 1:
        both = "grey" if grey else "in colour"
        raise DataError(
            f"The images in A and B of {printable(tree.root)} are both {both}; one side must hold the grey "
            "version of the other's pictures. Give a folder of colour images alone."
        )
    return pairs_of(tree, places, grey[0], "b" if grey[0] == "a" else "a")


def _mostly_colourless(paths: list[Path]) -> bool:
    step = max(1, len(paths) // PEEKED)
    verdicts = [is_colourless(path) for path in paths[::step][:PEEKED]]
    return 2 * sum(verdicts) > len(verdicts)


def split_folders(tree: Tree) -> Found | None:
    """Colour images in a folder per split, with or without categories."""
    places = places_of(tree)
    splits = {place.split for place in places.values()}
    held_out = splits & {"validation", "test"}
    if not held_out or (len(held_out) == 1 and "train" not in splits):
        return None
    outside = [path for path, place in places.items() if place.split is None]
    if outside or "train" not in splits:
        seen = ", ".join(printable(name) for name in tree.folders)
        lacking = "no folder train" if "train" not in splits else "images that are in none of these splits"
        raise DataError(
            f"{printable(tree.root)} has folders of splits but {lacking} (it holds {seen}); give every image "
            "a split, or none."
        )
    entries = [
        Entry(path, category=category_of(place.below), split=place.split) for path, place in places.items()
    ]
    return Found(by_split(entries))


def colour_folder(tree: Tree) -> Found | None:
    """Any folder of colour images; the first folder that tells images apart is the category."""
    parts = tree.parts
    depth = 0
    # Folders that hold all images, and none directly, say nothing.
    while (
        parts
        and all(len(p) > depth + 1 for p in parts.values())
        and len({p[depth] for p in parts.values()}) == 1
    ):
        depth += 1
    return Found([Entry(path, category=category_of(p[depth:])) for path, p in parts.items()])


for _kind in (
    LayoutKind("kaggle-pairs", f"with {', '.join(KAGGLE_FOLDERS)}", kaggle_pairs),
    LayoutKind("natural-color", f"with {' beside '.join(NATURAL_COLOR_FOLDERS)}", natural_color),
    LayoutKind("manifest", f"with a {' or '.join(MANIFESTS)} that has a field 'color'", manifest_of),
    LayoutKind(
        "paired-folders",
        "with a grey and a colour folder (gray/color, bw/rgb, train/gray …), the same names in both",
        paired_folders,
    ),
    LayoutKind(
        "translation-folders", "with trainA, trainB, testA, testB, one side grey", translation_folders
    ),
    LayoutKind("split-folders", "with train, val and test (or two of them, train among them)", split_folders),
    LayoutKind(
        "colour-folder",
        "of colour images, optionally one sub-folder per category",
        colour_folder,
        strong=False,
    ),
):
    register_layout(_kind, last=True)
