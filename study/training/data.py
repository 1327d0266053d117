"""From configured folders to arrays: decoded datasets, VGG16's features, and facts about the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_utils.errors import DataError
from data_utils.features import Features
from data_utils.image_set import CacheEntry
from data_utils.load_dataset import ImageSet, load_dataset
from data_utils.pictures import sample_indices
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.errors import ModelError
from models.vgg_weights import describe_weights
from study.errors import UsageError
from study.search.cells import derived_seed
from study.settings.schema import StudySettings
from study.training.features import feature_kinds, store_features

SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Prepared:
    """A study's data.

    Attributes:
        images: By dataset.
        features: Where VGG16's features are, by dataset and kind; None for those that are computed of every batch.
        vgg16: A description of the weights behind them; empty if none are needed.
        start: Facts about the model that trials start from, see `study.driver.start_weights`; empty without one.
    """

    images: dict[str, ImageSet]
    features: dict[str, dict[str, CacheEntry | None]]
    vgg16: str
    start: Mapping[str, Any] = field(default_factory=dict)

    def facts(self, settings: StudySettings) -> dict[str, Any]:
        """What a reader must know about the data, as JSON."""
        return {
            "vgg16": self.vgg16,
            "start": dict(self.start),
            "datasets": {name: _facts(settings, name, images) for name, images in self.images.items()},
        }


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
        wanted = kinds if features else []
        described = {
            name: {kind: _features(settings, found, kind, say) for kind in wanted}
            for name, found in images.items()
        }
    except (DataError, ModelError) as error:
        raise UsageError(str(error)) from None
    return Prepared(images, described, vgg16)


def _images(settings: StudySettings, name: str, say: Callable[[str], None]) -> ImageSet:
    say(f"{name}: reading the images …")
    return load_dataset(
        settings.datasets[name].root,
        settings.model.image_size,
        name=name,
        skip_bad=settings.skip_bad_images,
    )


def _features(
    settings: StudySettings, images: ImageSet, kind: str, say: Callable[[str], None]
) -> CacheEntry | None:
    splits = (TRAIN, VALIDATION) if kind == "maps" else SPLITS
    used = [split_indices(images, split, settings, images.name) for split in splits]
    return store_features(settings, images, kind, np.concatenate([*used, sample_indices(images)]), say)


def _facts(settings: StudySettings, name: str, images: ImageSet) -> dict[str, Any]:
    return {
        "layout": images.layout,
        "drawn": images.drawn,
        "fingerprint": images.fingerprint,
        "images": len(images),
        "train": len(split_indices(images, TRAIN, settings, name)),
        "train_available": len(images.indices(TRAIN)),
        "validation": len(split_indices(images, VALIDATION, settings, name)),
        "test": len(images.indices(TEST)),
        "categories": list(images.categories),
        "test_files": [images.files[position] for position in images.indices(TEST)],
        "test_categories": [int(images.category[position]) for position in images.indices(TEST)],
        "duplicates": len(images.duplicates),
        "refused": [{"file": one.file, "reason": one.reason} for one in images.refused],
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


def split_indices(images: ImageSet, split: int, settings: StudySettings, dataset: str) -> np.ndarray:
    """Positions of a split's images, limited to the study's random subset."""
    given = settings.datasets[dataset]
    limit = {TRAIN: given.train_limit, VALIDATION: given.validation_limit}.get(split)
    return images.limited(split, limit, derived_seed(settings.seed, dataset, "subset"))
