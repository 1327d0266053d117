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
from study.settings.schema import StudySettings
from study.training.replicates import images_of, used_images, with_each_test_split


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

    def facts(self, settings: StudySettings, replicates: int | None = None) -> dict[str, Any]:
        """What a reader must know about the data, as JSON.

        Args:
            settings: The study.
            replicates: How many there are; by default, as the settings say.
        """
        number = replicates or settings.replicates
        return {
            "vgg16": self.vgg16,
            "datasets": {name: _facts(settings, images, number) for name, images in self.images.items()},
        }


def needs_vectors(settings: StudySettings) -> bool:
    """Whether any architecture of the study takes VGG16 vectors."""
    return any(architecture(name).features for name in settings.architectures)


def prepare(settings: StudySettings, say: Callable[[str], None]) -> Prepared:
    """Load every dataset of a study and its VGG16 vectors, from the cache if they are there.

    Args:
        settings: The study.
        say: Prints a sentence before each step, any of which may take minutes the first time.

    Raises:
        UsageError: For a dataset or weights file that cannot be used; nothing but the cache was written.
    """
    try:
        vgg16 = describe_weights(settings.model.vgg16) if needs_vectors(settings) else ""
        images = {name: _images(settings, name, say) for name in settings.datasets}
        for one in images.values():
            for replicate in range(1, settings.replicates + 1):
                images_of(one, settings, replicate)  # no split of any of them is empty
        vectors = {name: _vectors(settings, found, say) for name, found in images.items()} if vgg16 else {}
    except (DataError, ModelError) as error:
        raise UsageError(str(error)) from None
    return Prepared(images, vectors, vgg16)


def _images(settings: StudySettings, name: str, say: Callable[[str], None]) -> ImageSet:
    say(f"{name}: reading the images …")
    return load_dataset(
        settings.datasets[name].root,
        settings.model.image_size,
        name=name,
        skip_bad=settings.skip_bad_images,
    )


def _vectors(settings: StudySettings, images: ImageSet, say: Callable[[str], None]) -> np.ndarray:
    """VGG16 vectors, 2×N×512; zeros for images that no replicate uses."""
    weights = settings.model.vgg16
    used = used_images(images, settings)
    say(f"{images.name}: VGG16 vectors of {len(used)} images …")
    subset = hashlib.sha256(used.tobytes()).hexdigest()[:16]
    key = f"vgg16-{images.fingerprint[:32]}-{weights_fingerprint(weights)[:32]}-{subset}"

    def build() -> dict[str, np.ndarray]:
        found = image_vectors(images.grey[used], weights, choose_device(settings.model.device))
        vectors = np.zeros((2, len(images), found.shape[-1]), np.float32)
        vectors[:, used] = found
        return {"vectors": vectors}

    return cached_arrays(default_cache(), key, build)["vectors"]


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
        "tests_of_replicates": {
            str(replicate): _test(one) for replicate, one in tests.items() if replicate > 1
        },
        "duplicates": len(images.duplicates),
        "refused": [{"file": one.file, "reason": one.reason} for one in images.refused],
    }


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
        vectors: 2×N×512 VGG16 vectors, plain and flipped; None if the architecture needs none.
    """

    images: ImageSet
    vectors: np.ndarray | None
