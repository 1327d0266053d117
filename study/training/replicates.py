"""The images of one replicate: its own splits of the study's images, without those that the study leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data_utils.image_set import ImageSet, require_all_splits
from data_utils.splits import TEST, TRAIN, VALIDATION, redraw_validation
from study.search.cells import derived_seed
from study.settings.schema import StudySettings

UNUSED = 255
"""Split of an image that a study leaves out, because it trains or validates on a subset."""


def images_of(images: ImageSet, settings: StudySettings, replicate: int) -> ImageSet:
    """A dataset with the splits of one replicate; pixels are shared, not copied.

    Replicate 1 has the dataset's own splits. The others divide the same training and validation images anew; where the
    test split rotates, all images are dealt anew.

    Args:
        images: As they were loaded; the name is the dataset's in the study.
        settings: The study.
        replicate: From 1.

    Raises:
        DataError: If a split would be empty.
    """
    if settings.splits.test == "rotate":
        return _limited(_rotated(images, settings, replicate), settings)
    first = _limited(images, settings)
    return first if replicate == 1 else _redrawn(first, settings, replicate)


def _rotated(images: ImageSet, settings: StudySettings, replicate: int) -> ImageSet:
    return images.of_replicate(replicate - 1, seed=settings.seed, rotated=True)


def _limited(images: ImageSet, settings: StudySettings) -> ImageSet:
    given = settings.datasets[images.name]
    limits = {TRAIN: given.train_limit, VALIDATION: given.validation_limit}
    seed = derived_seed(settings.seed, images.name, "subset")
    split = np.full_like(images.split, UNUSED)
    for side in (TRAIN, VALIDATION, TEST):
        split[images.limited(side, limits.get(side), seed)] = side
    return images if np.array_equal(split, images.split) else replace(images, split=split)


def _redrawn(images: ImageSet, settings: StudySettings, replicate: int) -> ImageSet:
    used = np.flatnonzero(images.split != UNUSED)
    split = images.split.copy()
    split[used] = redraw_validation(
        images.split[used],
        [images.files[position] for position in used],
        images.category[used].tolist(),
        images.groups[used].tolist(),
        seed=settings.seed,
        replicate=replicate - 1,
    )
    require_all_splits(images.root, split[used], images.groups[used])
    return replace(images, split=split)


def used_images(
    images: ImageSet, settings: StudySettings, splits: Sequence[int] = (TRAIN, VALIDATION, TEST)
) -> np.ndarray:
    """Positions (int64, ascending) of the images that are in one of the splits in any replicate that there may be."""
    if settings.splits.test == "given":  # later replicates only divide the first one's images anew
        shared = (TRAIN, VALIDATION)
        wanted = {*splits, *shared} if {*splits} & {*shared} else {*splits}
        return np.flatnonzero(np.isin(images_of(images, settings, 1).split, list(wanted)))
    replicates = range(1, settings.verdict.most_replicates + 1)
    used = [np.isin(images_of(images, settings, one).split, list(splits)) for one in replicates]
    return np.flatnonzero(np.logical_or.reduce(used))


def with_each_test_split(images: ImageSet, settings: StudySettings, replicates: int) -> dict[int, ImageSet]:
    """The set with each of a study's test splits, by the first replicate that has it.

    There is one, unless they rotate. Training images are all there are, whatever the study's own subset.
    """
    if settings.splits.test == "given":
        return {1: images}
    return {one: _rotated(images, settings, one) for one in range(1, replicates + 1)}
