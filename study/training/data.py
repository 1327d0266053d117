"""From configured folders to arrays: decoded datasets, VGG16 vectors, and facts about the data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_utils.cache import cached_arrays, default_cache
from data_utils.errors import DataError
from data_utils.load_dataset import ImageSet, load_dataset
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.architectures import architecture
from models.errors import ModelError
from models.hardware import choose_device
from models.vgg import image_vectors
from models.vgg_weights import describe_weights, weights_fingerprint
from study.errors import UsageError
from study.search.cells import derived_seed
from study.settings.schema import StudySettings

SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Prepared:
    """A study's data.

    Attributes:
        images: By dataset.
        vectors: 2×N×512 VGG16 vectors by dataset; empty if no architecture needs them.
        vgg16: A description of the weights behind the vectors; empty if none are needed.
    """

    images: dict[str, ImageSet]
    vectors: dict[str, np.ndarray]
    vgg16: str

    def facts(self, settings: StudySettings) -> dict[str, Any]:
        """What a reader must know about the data, as JSON."""
        return {
            "vgg16": self.vgg16,
            "datasets": {name: _facts(settings, name, images) for name, images in self.images.items()},
        }


def needs_vectors(settings: StudySettings) -> bool:
    """Whether any architecture of the study takes VGG16 vectors."""
    return any(architecture(name).features for name in settings.architectures)


def prepare(settings: StudySettings, say: Callable[[str], None], *, vectors: bool = True) -> Prepared:
    """Load every dataset of a study and its VGG16 vectors, from the cache if they are there.

    Args:
        settings: The study.
        say: Prints a sentence before each step, any of which may take minutes the first time.
        vectors: Compute VGG16's too; a plan does without.

    Raises:
        UsageError: For a dataset or weights file that cannot be used; nothing but the cache was written.
    """
    try:
        vgg16 = describe_weights(settings.model.vgg16) if needs_vectors(settings) else ""
        images = {name: _images(settings, name, say) for name in settings.datasets}
        wanted = images if vgg16 and vectors else {}
        described = {name: _vectors(settings, found, say) for name, found in wanted.items()}
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


def _vectors(settings: StudySettings, images: ImageSet, say: Callable[[str], None]) -> np.ndarray:
    """VGG16 vectors, 2×N×512; zeros for training images outside the study's random subset."""
    weights = settings.model.vgg16
    used = np.concatenate([split_indices(images, split, settings, images.name) for split in SPLITS])
    say(f"{images.name}: VGG16 vectors of {len(used)} images …")
    subset = hashlib.sha256(np.sort(used).tobytes()).hexdigest()[:16]
    key = f"vgg16-{images.fingerprint[:32]}-{weights_fingerprint(weights)[:32]}-{subset}"

    def build() -> dict[str, np.ndarray]:
        found = image_vectors(images.grey[used], weights, choose_device(settings.model.device))
        vectors = np.zeros((2, len(images), found.shape[-1]), np.float32)
        vectors[:, used] = found
        return {"vectors": vectors}

    return cached_arrays(default_cache(), key, build)["vectors"]


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
        vectors: 2×N×512 VGG16 vectors, plain and flipped; None if the architecture needs none.
    """

    images: ImageSet
    vectors: np.ndarray | None


def split_indices(images: ImageSet, split: int, settings: StudySettings, dataset: str) -> np.ndarray:
    """Positions of a split's images, limited to the study's random subset."""
    given = settings.datasets[dataset]
    limit = {TRAIN: given.train_limit, VALIDATION: given.validation_limit}.get(split)
    return images.limited(split, limit, derived_seed(settings.seed, dataset, "subset"))
