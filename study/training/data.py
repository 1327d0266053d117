"""From configured folders to arrays: decoded datasets, VGG16's features, and facts about the data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_utils.addresses import is_address
from data_utils.errors import DataError
from data_utils.features import Features
from data_utils.findings import pictures_in_two_splits, warnings_of
from data_utils.image_set import CacheEntry
from data_utils.load_dataset import ImageSet, load_dataset
from data_utils.pictures import sample_indices
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.errors import ModelError
from models.vgg_weights import describe_weights
from study.errors import UsageError
from study.settings.schema import StudySettings
from study.training.features import feature_kinds, feature_seconds, store_features
from study.training.replicates import images_of, used_images, with_each_test_split

_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Prepared:
    """A study's data.

    Attributes:
        images: By dataset.
        features: Where VGG16's features are, by dataset and kind; None for those that are computed of every batch.
        vgg16: A description of the weights behind them; empty if none are needed.
        start: Facts about the model that trials start from, see `study.driver.starts.start_weights`; empty without one.
    """

    images: dict[str, ImageSet]
    features: dict[str, dict[str, CacheEntry | None]]
    vgg16: str
    start: Mapping[str, Any] = field(default_factory=dict)

    def facts(self, settings: StudySettings, replicates: int | None = None) -> dict[str, Any]:
        """What a reader must know about the data, as JSON.

        Args:
            settings: The study.
            replicates: How many there are; by default, as the settings say.
        """
        number = replicates or settings.replicates
        return {
            "vgg16": self.vgg16,
            "start": dict(self.start),
            "datasets": {
                name: {**_facts(settings, images, number), "feature_seconds": self._seconds(name)}
                for name, images in self.images.items()
            },
        }

    def _seconds(self, dataset: str) -> dict[str, float]:
        """What the stored features cost, by kind."""
        stored = self.features.get(dataset, {})
        return {kind: feature_seconds(entry) for kind, entry in stored.items() if entry is not None}


def prepare(settings: StudySettings, say: Callable[[str], None], *, features: bool = True) -> Prepared:
    """Load every dataset of a study and its features, from the cache if they are there.

    Args:
        settings: The study.
        say: Prints a sentence before each step, any of which may take minutes the first time.
        features: Compute VGG16's too; a plan does without.

    Raises:
        UsageError: For a dataset or weights file that cannot be used; nothing but the cache was written.
    """
    try:
        kinds = feature_kinds(settings)
        vgg16 = describe_weights(settings.model.vgg16) if kinds else ""
        images = {name: _images(settings, name, say) for name in settings.datasets}
        for one in images.values():
            for replicate in range(1, settings.replicates + 1):
                images_of(one, settings, replicate)  # no split of any of them is empty
        wanted = kinds if features else []
        described = {
            name: {kind: _features(settings, found, kind, say) for kind in wanted}
            for name, found in images.items()
        }
    except (DataError, ModelError) as error:
        raise UsageError(str(error)) from None
    return Prepared(images, described, vgg16)


def _images(settings: StudySettings, name: str, say: Callable[[str], None]) -> ImageSet:
    root = settings.datasets[name].root
    say(f"{name}: {f'fetching what is new at {root}, and ' if is_address(root) else ''}reading the images …")
    return load_dataset(
        root,
        settings.model.image_size,
        name=name,
        skip_bad=settings.skip_bad_images,
        progress=_told(name, say),
    )


def _told(name: str, say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Says how many images are decoded, not more often than every few seconds."""
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"{name}: {done} of {total} files are read …")

    return progress


def _features(
    settings: StudySettings, images: ImageSet, kind: str, say: Callable[[str], None]
) -> CacheEntry | None:
    """Features of the images that any replicate uses; maps of test images are computed of every batch."""
    splits = (TRAIN, VALIDATION) if kind == "maps" else (TRAIN, VALIDATION, TEST)
    used = used_images(images, settings, splits)
    return store_features(settings, images, kind, np.concatenate([used, sample_indices(images)]), say)


def _facts(settings: StudySettings, images: ImageSet, replicates: int) -> dict[str, Any]:
    """Of the first replicate, and of the others what is different there."""
    first = images_of(images, settings, 1)
    tests = with_each_test_split(images, settings, replicates)
    return {
        "layout": images.layout,
        "drawn": images.drawn,
        "fingerprint": images.fingerprint,
        "images": len(images),
        "train": len(first.indices(TRAIN)),
        "train_available": len(tests[1].indices(TRAIN)),
        "validation": len(first.indices(VALIDATION)),
        "test": len(first.indices(TEST)),
        "categories": list(images.categories),
        **_test(first),
        "test_leaks": _leaks(first),
        "tests_of_replicates": {
            str(replicate): _test(one) for replicate, one in tests.items() if replicate > 1
        },
        "warnings": [*warnings_of(first), *_left_out(images)],
        "shared_pictures": pictures_in_two_splits(first),
        "duplicates": len(images.duplicates),
        "near_duplicates": [list(pair) for pair in images.near_duplicates],
        "refused": [{"file": one.file, "reason": one.reason} for one in images.refused],
    }


def _left_out(images: ImageSet) -> list[str]:
    return [
        f"{images.name} is used without what else lies in its folder: {phrase}." for phrase in images.left_out
    ]


def _leaks(images: ImageSet) -> list[int]:
    """Positions of the test images that show a picture of those trained or validated on."""
    seen = images.groups[np.isin(images.split, (TRAIN, VALIDATION))]
    test = images.indices(TEST)
    return [int(position) for position in test[np.isin(images.groups[test], seen)]]


def _test(images: ImageSet) -> dict[str, Any]:
    positions = images.indices(TEST)
    return {
        "test_files": [images.files[position] for position in positions],
        "test_categories": [int(images.category[position]) for position in positions],
    }


@dataclass(frozen=True)
class TrialData:
    """What a trial is trained on.

    Attributes:
        images: Decoded images with their splits.
        features: What VGG16 says of training and validation images; None if the architecture needs nothing.
        test_features: What it says of test images.
    """

    images: ImageSet
    features: Features | None = None
    test_features: Features | None = None
