"""A dataset in memory, and the form in which the cache keeps it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from data_utils.errors import DataError, printable
from data_utils.splits import SPLIT_NAMES, assign_splits, duplicate_pairs


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
        drawn: True for the embedded sets, which must never be called photographs.
        grey_error: N float32, mean |supplied grey − luma of the colour| in grey levels; 0 where derived.
        original_size: N×2 int32, width and height of the colour file (0×2 where unknown).
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


def assemble(
    root: str,
    *,
    names: Sequence[str],
    labels: Sequence[str | None],
    given: Sequence[str | None],
    contents: Sequence[str],
    arrays: Mapping[str, np.ndarray],
    refused: Sequence[Refused] = (),
) -> dict[str, np.ndarray]:
    """Complete decoded images with splits, categories, duplicates and fingerprint, as arrays for the cache.

    Args:
        root: where the images come from, for messages.
        names: N file names relative to the root, raw.
        labels: N category names or None.
        given: N of ``"train"``, ``"test"`` or None.
        contents: N digests of the decoded images at their own resolution.
        arrays: ``grey``, ``colour``, ``grey_error``, ``original_size`` as in ``ImageSet``.
        refused: files left out.

    Raises:
        DataError: a split would be empty.
    """
    categories = sorted({label for label in labels if label is not None})
    number = {label: index for index, label in enumerate(categories)}
    category = np.array([-1 if label is None else number[label] for label in labels], np.int16)
    split = assign_splits(names, category.tolist(), given, contents)
    counts = np.bincount(split, minlength=len(SPLIT_NAMES))
    if not counts.all():
        stated = ", ".join(f"{count} {side}" for side, count in zip(SPLIT_NAMES, counts, strict=True))
        raise DataError(
            f"{root} is too small to split: {len(names)} usable images give {stated}; add images, "
            "so that each split has at least one."
        )
    content = _fingerprint(names, labels, split, arrays["grey"], arrays["colour"])
    manifest = {
        "categories": [printable(label) for label in categories],
        "files": [printable(name) for name in names],
        "fingerprint": content,
        "refused": [[item.file, item.reason] for item in refused],
        "duplicates": [[printable(a), printable(b)] for a, b in duplicate_pairs(names, contents)],
    }
    packed = np.frombuffer(json.dumps(manifest).encode("ascii"), np.uint8)
    return {**arrays, "split": split, "category": category, "manifest": packed}


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
