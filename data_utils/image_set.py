"""A dataset in memory, and the form in which the cache keeps it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from data_utils.errors import DataError, printable
from data_utils.near_duplicates import groups_of
from data_utils.splits import (
    SPLIT_NAMES,
    TEST,
    assign_splits,
    duplicate_pairs,
    redraw_validation,
    rotate,
)

FORMAT = 3  # of the arrays in the cache; raise it whenever ``assemble`` gives others


@dataclass(frozen=True)
class Refused:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N square images with their splits; plain arrays, so that it travels without copies.

    Attributes:
        name: what the study calls it.
        layout: ``kaggle-pairs``, ``natural-color``, ``colour-folder`` or ``drawn``.
        root: the folder, in printable form.
        grey: N×S×S uint8.
        colour: N×S×S×3 uint8 RGB.
        split: N uint8 of TRAIN, VALIDATION, TEST.
        category: N int16 index into ``categories``, −1 for none.
        categories: their names, sorted.
        files: N colour files relative to ``root``, in printable form.
        fingerprint: SHA-256 of contents, names and splits; equal sets have equal ones.
        refused: files left out because bad images are skipped.
        duplicates: pairs of files with identical pixels.
        near_duplicates: further pairs of files that show one picture (see ``near_duplicates``).
        drawn: True for the embedded sets, which must never be called photographs.
        grey_error: N float32, mean |supplied grey − luma of the colour| in grey levels; 0 where derived.
        original_size: N×2 int32, width and height of the colour file (0×2 where unknown).
        group: N int32, position of the first image that shows the same picture, directly or through others
            (empty where each image is its own).
    """

    name: str
    layout: str
    root: str
    grey: np.ndarray
    colour: np.ndarray
    split: np.ndarray
    category: np.ndarray
    categories: tuple[str, ...]
    files: tuple[str, ...]
    fingerprint: str
    refused: tuple[Refused, ...]
    duplicates: tuple[tuple[str, str], ...]
    drawn: bool
    grey_error: np.ndarray
    original_size: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    near_duplicates: tuple[tuple[str, str], ...] = ()
    group: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.split)

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.colour.shape[1])

    def indices(self, split: int) -> np.ndarray:
        """Positions (int64, ascending) of the images of a split."""
        return np.flatnonzero(self.split == split)

    def limited(self, split: int, limit: int | None, seed: int) -> np.ndarray:
        """A random subset of a split, the same for the same seed.

        Args:
            split: TRAIN, VALIDATION or TEST.
            limit: how many at most; None for all.
            seed: non-negative.

        Returns:
            Positions (int64, ascending). A larger limit contains the smaller one's.
        """
        positions = self.indices(split)
        if limit is None or limit >= len(positions):
            return positions
        chosen = np.random.default_rng([seed, split]).permutation(positions)[:limit]
        return np.sort(chosen)

    @property
    def groups(self) -> np.ndarray:
        """N int32: images with equal numbers show the same picture."""
        return self.group if len(self.group) else np.arange(len(self), dtype=np.int32)

    def leaks(self, split: int = TEST) -> np.ndarray:
        """Positions (int64, ascending) of the images of a split whose picture is in another split as well.

        Splits that are made here have none; given ones may.
        """
        elsewhere = np.isin(self.groups, self.groups[self.split != split])
        return np.flatnonzero((self.split == split) & elsewhere)

    def of_replicate(self, replicate: int, *, seed: int, rotated: bool = False) -> ImageSet:
        """The same images with the splits of one replicate; pixels are shared, not copied.

        Args:
            replicate: from 0, which has the set's own splits unless they are rotated.
            seed: of the study.
            rotated: move the test split as well (cross-validation, see ``splits.rotate``) instead of
                drawing other validation images only.

        Raises:
            DataError: a split would be empty.
        """
        names, categories, groups = self.files, self.category.tolist(), self.groups.tolist()
        if rotated:
            split = rotate(names, categories, groups, seed=seed, replicate=replicate)
        else:
            split = redraw_validation(self.split, names, categories, groups, seed=seed, replicate=replicate)
        if np.array_equal(split, self.split):
            return self
        _require_all_splits(self.root, split, groups)
        digest = hashlib.sha256(self.fingerprint.encode() + split.tobytes())
        return replace(self, split=split, fingerprint=digest.hexdigest())


def assemble(
    root: str,
    *,
    names: Sequence[str],
    labels: Sequence[str | None],
    given: Sequence[str | None],
    contents: Sequence[str],
    near: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    refused: Sequence[Refused] = (),
) -> dict[str, np.ndarray]:
    """Complete decoded images with splits, categories, duplicates and fingerprint, as arrays for the cache.

    Args:
        root: where the images come from, for messages.
        names: N file names relative to the root, raw.
        labels: N category names or None.
        given: N of ``"train"``, ``"validation"``, ``"test"`` or None.
        contents: N digests of the decoded images at their own resolution.
        near: P×2 positions of images that show one picture, identical ones among them.
        arrays: ``grey``, ``colour``, ``grey_error``, ``original_size`` as in ``ImageSet``.
        refused: files left out.

    Raises:
        DataError: a split would be empty.
    """
    categories = sorted({label for label in labels if label is not None})
    number = {label: index for index, label in enumerate(categories)}
    category = np.array([-1 if label is None else number[label] for label in labels], np.int16)
    group = groups_of(len(names), near)
    split = assign_splits(names, category.tolist(), given, group.tolist())
    _require_all_splits(root, split, group)
    content = _fingerprint(names, labels, split, arrays["grey"], arrays["colour"])
    manifest = {
        "categories": [printable(label) for label in categories],
        "files": [printable(name) for name in names],
        "fingerprint": content,
        "refused": [[item.file, item.reason] for item in refused],
        "duplicates": [[printable(a), printable(b)] for a, b in duplicate_pairs(names, contents)],
        "near_duplicates": [
            [printable(names[a]), printable(names[b])] for a, b in near if contents[a] != contents[b]
        ],
    }
    packed = np.frombuffer(json.dumps(manifest).encode("ascii"), np.uint8)
    return {**arrays, "split": split, "category": category, "group": group, "manifest": packed}


def image_set(name: str, layout: str, root: str, arrays: Mapping[str, np.ndarray]) -> ImageSet:
    """The set whose arrays ``assemble`` made, after they went through the cache."""
    manifest = json.loads(arrays["manifest"].tobytes())
    return ImageSet(
        name=name,
        layout=layout,
        root=root,
        grey=arrays["grey"],
        colour=arrays["colour"],
        split=arrays["split"],
        category=arrays["category"],
        categories=tuple(manifest["categories"]),
        files=tuple(manifest["files"]),
        fingerprint=manifest["fingerprint"],
        refused=tuple(Refused(*item) for item in manifest["refused"]),
        duplicates=tuple((a, b) for a, b in manifest["duplicates"]),
        drawn=layout == "drawn",
        grey_error=arrays["grey_error"],
        original_size=arrays["original_size"],
        near_duplicates=tuple((a, b) for a, b in manifest["near_duplicates"]),
        group=arrays["group"],
    )


def _require_all_splits(root: str, split: np.ndarray, groups: Sequence[int] | np.ndarray) -> None:
    counts = np.bincount(split, minlength=len(SPLIT_NAMES))
    if counts.all():
        return
    stated = ", ".join(f"{count} {side}" for side, count in zip(SPLIT_NAMES, counts, strict=True))
    pictures = len(np.unique(groups))
    alike = f", which show {pictures} different pictures," if pictures < len(split) else ""
    raise DataError(
        f"{root} is too small to split: {len(split)} usable images{alike} give {stated}; add images, "
        "so that each split has at least one."
    )


def _fingerprint(
    names: Sequence[str],
    labels: Sequence[str | None],
    split: np.ndarray,
    grey: np.ndarray,
    colour: np.ndarray,
) -> str:
    digest = hashlib.sha256()
    for name, label in zip(names, labels, strict=True):
        digest.update(os.fsencode(name) + b"\0" + os.fsencode(label or "") + b"\0")
    for array in (split, grey, colour):
        digest.update(repr(array.shape).encode())
        digest.update(array.data)
    return digest.hexdigest()
