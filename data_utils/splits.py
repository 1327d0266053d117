"""Training, validation and test: decided by file names and groups, never by order or random state."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")
HELD_OUT_PERCENT = 10  # for validation, and for test where none is given
FOLDS = 5  # of a rotating test split


def assign_splits(
    names: Sequence[str],
    categories: Sequence[int],
    given: Sequence[str | None],
    groups: Sequence[int],
) -> np.ndarray:
    """Assign every image to a split.

    Given test and validation images stay what they are, and a split that is not given takes 10 % of the
    rest, stratified by category. Within a category groups are ranked by the smallest SHA-256 of their file
    names, and move as one (given images excepted).

    Args:
        names: N file paths; only the last part counts.
        categories: N category indices, −1 for none.
        given: N of ``"train"``, ``"validation"``, ``"test"`` or None.
        groups: N group numbers; images that share one show the same picture.

    Returns:
        N uint8 of TRAIN, VALIDATION, TEST. A split may be empty if there are few images.
    """
    split = np.array([SPLIT_NAMES.index(side or "train") for side in given], np.uint8)
    rest = np.flatnonzero(split == TRAIN)
    shares = {s: (HELD_OUT_PERCENT, 100) for s in (TEST, VALIDATION) if SPLIT_NAMES[s] not in given}
    for side, members in _held_out(_strata(names, categories, groups, rest), shares).items():
        split[members] = side
    return split


def redraw_validation(
    split: np.ndarray,
    names: Sequence[str],
    categories: Sequence[int],
    groups: Sequence[int],
    *,
    seed: int,
    replicate: int,
) -> np.ndarray:
    """Give a replicate its own training and validation images; the test split stays.

    Args:
        split: N uint8, the dataset's own split.
        names: As in ``assign_splits``.
        categories: As in ``assign_splits``.
        groups: As in ``assign_splits``.
        seed: Of the study.
        replicate: From 0, which has the dataset's own split whatever the seed.

    Returns:
        N uint8, with as many validation images as before, give or take a group.
    """
    if replicate == 0:
        return split.copy()
    redrawn = np.where(split == TEST, TEST, TRAIN).astype(np.uint8)
    rest = np.flatnonzero(split != TEST)
    strata = _strata(names, categories, groups, rest, f"{seed}/{replicate}")
    share = (int((split == VALIDATION).sum()), len(rest))
    redrawn[_held_out(strata, {VALIDATION: share})[VALIDATION]] = VALIDATION
    return redrawn


def rotate(
    names: Sequence[str],
    categories: Sequence[int],
    groups: Sequence[int],
    *,
    seed: int,
    replicate: int,
    folds: int = FOLDS,
) -> np.ndarray:
    """Give a replicate its own test, validation and training images by grouped, stratified cross-validation.

    All images are dealt to ``folds`` folds; fold ``replicate mod folds`` is the test split, and 10 % of all
    images, drawn from the others, are validation. Every ``folds`` replicates begin a new round with folds
    of its own. The split of a replicate does not depend on how many there are, so that some can be added.

    Args:
        names: As in ``assign_splits``.
        categories: As in ``assign_splits``.
        groups: As in ``assign_splits``.
        seed: Of the study.
        replicate: From 0.
        folds: At least two.

    Returns:
        N uint8 of TRAIN, VALIDATION, TEST. Given splits have no part in it.
    """
    round_, fold = divmod(replicate, folds)
    everything = np.arange(len(names))
    split = np.full(len(names), TRAIN, np.uint8)
    in_all = Counter[int]()
    for stratum in _strata(names, categories, groups, everything, f"{seed}/round {round_}"):
        in_category = Counter[int]()
        for group in stratum:
            target = min(range(folds), key=lambda f: (in_category[f], in_all[f], f))
            in_category[target] += len(group)
            in_all[target] += len(group)
            if target == fold:
                split[group] = TEST
    rest = np.flatnonzero(split == TRAIN)
    share = (HELD_OUT_PERCENT * len(names), 100 * max(1, len(rest)))
    strata = _strata(names, categories, groups, rest, f"{seed}/{replicate}")
    split[_held_out(strata, {VALIDATION: share})[VALIDATION]] = VALIDATION
    return split


def _strata(
    names: Sequence[str],
    categories: Sequence[int],
    groups: Sequence[int],
    members: Iterable[int],
    salt: str = "",
) -> list[list[list[int]]]:
    """The groups of each category in the order of their hashes; a group stands where its first image stands.

    Args:
        names: N.
        categories: N.
        groups: N.
        members: Positions of the images that take part.
        salt: Another one gives another order.

    Returns:
        Categories of groups of positions.
    """
    prefix = f"{salt}\0".encode() if salt else b""
    together: dict[int, list[int]] = defaultdict(list)
    for index in members:
        together[int(groups[index])].append(int(index))
    ranks = {
        index: (
            categories[index],
            hashlib.sha256(prefix + os.fsencode(Path(names[index]).name)).digest(),
            index,
        )
        for group in together.values()
        for index in group
    }
    leaders = {min(ranks[index] for index in group): group for group in together.values()}
    return [
        [leaders[leader] for leader in stratum] for _, stratum in groupby(sorted(leaders), key=lambda k: k[0])
    ]


def _held_out(strata: list[list[list[int]]], shares: dict[int, tuple[int, int]]) -> dict[int, list[int]]:
    """Take whole groups from every category until each side has its share (numerator, denominator)."""
    seen = 0
    taken: dict[int, list[int]] = {side: [] for side in shares}
    for groups in strata:
        left = list(groups)
        seen += sum(map(len, left))
        for side, (numerator, denominator) in shares.items():
            # Rounding is carried from category to category, so that small ones give their share in turn.
            wanted = (2 * numerator * seen + denominator) // (2 * denominator) - len(taken[side])
            for group in list(left):
                if len(group) <= wanted:
                    taken[side] += group
                    left.remove(group)
                    wanted -= len(group)
    return taken


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
