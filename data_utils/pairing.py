"""What folder names say of the images in them, and which files are the two sides of one picture."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from data_utils.folders import Tree
from data_utils.layouts import Entry, Found
from data_utils.splits import SPLIT_NAMES

_SPLIT = r"(?P<split>train(ing)?|val(id(ation)?)?|test(ing)?)"
_SIDE = (
    r"((?P<grey>gr[ae]y(scale)?|bw|black|black(and)?white|mono(chrome)?)"
    r"|(?P<colour>colou?r(ed|ful)?(original)?|rgb|originals?))"
)
_NOUN = r"(images?|imgs?|photos?|pictures?|data|set)?"
_ROLES = [
    re.compile(pattern)
    for pattern in (
        rf"{_SPLIT}?{_SIDE}{_NOUN}",
        rf"{_SIDE}{_NOUN}{_SPLIT}",
        rf"{_SPLIT}{_NOUN}",
        rf"{_SPLIT}((?P<a>a)|(?P<b>b))",
    )
]


class Place(NamedTuple):
    """Where an image lies: in which split, on which side of a pair, and in which folders below that."""

    split: str | None
    side: str | None  # "grey", "colour", "a" or "b"
    below: tuple[str, ...]


@cache
def role_of(folder: str) -> tuple[str | None, str | None] | None:
    """The split and the side that a folder's name stands for, or None for any other name."""
    plain = re.sub(r"[^a-z]", "", folder.lower())
    for pattern in _ROLES:
        match = pattern.fullmatch(plain)
        if match is not None:
            named = {name for name, text in match.groupdict().items() if text is not None}
            split = {"tr": "train", "va": "validation", "te": "test"}.get((match["split"] or "")[:2])
            return split, next(iter(named - {"split"}), None)
    return None


def places_of(tree: Tree) -> dict[Path, Place]:
    """Read the roles off the first folders on the way to each image: at most one split and one side."""
    return {path: _place(parts) for path, parts in tree.parts.items()}


def _place(parts: tuple[str, ...]) -> Place:
    split = side = None
    for used, folder in enumerate(parts):
        role = role_of(folder)
        if role is None or (role[0] and split) or (role[1] and side):
            return Place(split, side, parts[used:])
        split, side = role[0] or split, role[1] or side
    return Place(split, side, ())


def category_of(folders: tuple[str, ...]) -> str | None:
    """The category of an image that lies in these folders: the first one."""
    return folders[0] if folders else None


def by_split(entries: list[Entry]) -> list[Entry]:
    """Training images first, then validation, then test; otherwise in the given order."""
    return sorted(entries, key=lambda entry: SPLIT_NAMES.index(entry.split or "train"))


def pairs_of(tree: Tree, places: dict[Path, Place], grey: str, colour: str) -> Found:
    """Pair the files of two sides by split, folders and name; suffixes and capitals may differ."""
    sides: dict[str, dict[tuple[str, ...], list[Path]]] = {s: defaultdict(list) for s in (grey, colour)}
    outside = []
    for path, (split, side, below) in places.items():
        if side in sides:
            key = (split or "", *map(_folded, below))
            sides[side][key].append(path)
        else:
            outside.append(path)
    entries: list[Entry] = []
    unpaired: list[Path] = []
    for key in {**sides[grey], **sides[colour]}:
        greys, colours = sides[grey][key], sides[colour][key]
        partner = _partners(greys, colours)
        entries += [
            Entry(path, partner[path], category_of(places[path].below), places[path].split)
            for path in colours
            if path in partner
        ]
        paired = set(partner.values())
        unpaired += [path for path in greys if path not in paired]
        unpaired += [path for path in colours if path not in partner]
    order = {path: number for number, path in enumerate(tree.images)}
    entries.sort(key=lambda entry: order[entry.colour])
    return Found(by_split(entries), unpaired, outside)


def _partners(greys: list[Path], colours: list[Path]) -> dict[Path, Path]:
    """The grey file of each colour file: of the same name, else the only one of the same stem."""
    by_name = {path.name: path for path in greys}
    partner = {path: by_name[path.name] for path in colours if path.name in by_name}
    taken = set(partner.values())
    left_greys = _by_stem(path for path in greys if path not in taken)
    left_colours = _by_stem(path for path in colours if path not in partner)
    for stem, candidates in left_colours.items():
        if len(candidates) == len(left_greys.get(stem, ())) == 1:
            partner[candidates[0]] = left_greys[stem][0]
    return partner


def _by_stem(paths: Iterable[Path]) -> dict[str, list[Path]]:
    stems: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        stems[_folded(path.stem)].append(path)
    return stems


def _folded(name: str) -> str:
    """Equal for names that differ in capitals, or in how accents are encoded, alone."""
    return unicodedata.normalize("NFC", name).casefold()
