"""A dataset: arrays in memory or mapped into it, with what is known of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from data_utils.decode_image import COLOURLESS_SPREAD
from data_utils.errors import DataError
from data_utils.splits import SPLIT_NAMES, TEST, redraw_validation, rotate


@dataclass(frozen=True)
class Refused:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class CacheEntry:
    """Where the cache keeps some arrays: small enough to be sent to whoever is to map them.

    Attributes:
        folder: the cache folder, absolute.
        key: of the entry in it.
        name: what messages call it.
    """

    folder: str
    key: str
    name: str


@dataclass(frozen=True)
class Fetched:
    """From which address a set was fetched, and how it was prepared: another machine can do the same."""

    address: str
    size: int
    skip_bad: bool


@dataclass(frozen=True)
class SetSource(CacheEntry):
    """Where the cache keeps the arrays of a set.

    Attributes:
        layout: ``ImageSet.layout``.
        root: ``ImageSet.root``.
        left_out: ``ImageSet.left_out``.
        fetched: None where the images lie in a folder.
    """

    layout: str
    root: str
    left_out: tuple[str, ...] = ()
    fetched: Fetched | None = None


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N square images with their splits; plain arrays, so that it travels without copies.

    Attributes:
        name: what the study calls it.
        layout: the name of a layout (see ``layouts.known_layouts``), or ``drawn``.
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
        near_duplicates: further pairs of files that show one picture, enough of them to connect all that do (see
            ``near_duplicates``).
        drawn: True for the embedded sets, which must never be called photographs.
        grey_error: N float32, mean |supplied grey − luma of the colour| in grey levels; 0 where derived.
        original_size: N×2 int32, width and height of the colour file (0×2 where unknown).
        group: N int32, position of the first image that shows the same picture, directly or through others
            (empty where each image is its own).
        colour_spread: N float32, mean difference between the highest and lowest channel in grey levels.
        left_out: what else lies in the folder and is not used, one phrase each.
        source: where its arrays lie on disk; None for a set that was made in memory.
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
    colour_spread: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    left_out: tuple[str, ...] = ()
    source: SetSource | None = None

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

    @property
    def colourless(self) -> np.ndarray:
        """Positions (int64, ascending) of the images that are nearly grey."""
        return np.flatnonzero(self.colour_spread < COLOURLESS_SPREAD)

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
        require_all_splits(self.root, split, groups)
        digest = hashlib.sha256(self.fingerprint.encode() + split.tobytes())
        return replace(self, split=split, fingerprint=digest.hexdigest())


def require_all_splits(root: str, split: np.ndarray, groups: Sequence[int] | np.ndarray) -> None:
    """Check that each split has an image.

    Raises:
        DataError: Naming the root of the images and the counts.
    """
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
