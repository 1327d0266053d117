"""Training, validation and test: decided by file names and contents, never by order or random state."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")
HELD_OUT_PERCENT = 10  # for validation, and for test where none is given


def assign_splits(
    names: Sequence[str],
    categories: Sequence[int],
    given: Sequence[str | None],
    contents: Sequence[str],
) -> np.ndarray:
    """Assign every image to a split.

    A given test set stays the test set and validation is 10 % of the rest; otherwise 80/10/10, stratified by
    category. Within a category images are ranked by the SHA-256 of their file name. Images of equal content
    move together (a given test set excepted, which is never touched).

    Args:
        names: N file paths; only the last part counts.
        categories: N category indices, −1 for none.
        given: N of ``"train"``, ``"test"`` or None.
        contents: N digests of the decoded images; equal digests are identical images.

    Returns:
        N uint8 of TRAIN, VALIDATION, TEST. A split may be empty if there are few images.
    """
    split = np.full(len(names), TRAIN, np.uint8)
    split[[side == "test" for side in given]] = TEST
    sides = [VALIDATION] if any(given) else [TEST, VALIDATION]
    ranks = [hashlib.sha256(os.fsencode(Path(name).name)).digest() for name in names]

    members: dict[str, list[int]] = defaultdict(list)
    for index, content in enumerate(contents):
        if given[index] != "test":
            members[content].append(index)
    # A set of identical images stands where its first member stands.
    leaders = {min((categories[i], ranks[i], i) for i in group): group for group in members.values()}

    seen, taken = 0, dict.fromkeys(sides, 0)
    for _, stratum in groupby(sorted(leaders), key=lambda leader: leader[0]):
        groups = [leaders[leader] for leader in stratum]
        seen += sum(map(len, groups))
        for side in sides:
            # Rounding is carried from category to category, so that small ones give their share in turn.
            wanted = (HELD_OUT_PERCENT * seen + 50) // 100 - taken[side]
            for group in list(groups):
                if len(group) <= wanted:
                    split[group] = side
                    groups.remove(group)
                    taken[side] += len(group)
                    wanted -= len(group)
    return split


def duplicate_pairs(names: Sequence[str], contents: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pair each image with the first one of the same content.

    Args:
        names: N file names, sorted.
        contents: N digests of the decoded images.

    Returns:
        ``(first, other)`` for every image that repeats an earlier one.
    """
    first: dict[str, str] = {}
    pairs = []
    for name, content in zip(names, contents, strict=True):
        original = first.setdefault(content, name)
        if original != name:
            pairs.append((original, name))
    return tuple(pairs)
