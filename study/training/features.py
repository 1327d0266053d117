"""What VGG16 says of a dataset's images: computed once where memory allows, else anew of every batch.

The vectors of a dataset (2 kB an image) are always stored. Its maps (`models.vgg.maps_bytes`) are stored where they
take at most a quarter of the memory of the machine that prepares them, and half of what a trial may have on its GPU;
they are used from there where they take at most that half on the trial's own. Random crops have features of their own,
so nothing is stored for them.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from data_utils.cache import cached_arrays, default_cache, stored_arrays
from data_utils.features import ComputedFeatures, Features, StoredFeatures
from data_utils.image_set import CacheEntry, ImageSet
from data_utils.wording import counted
from models.architectures import architecture
from models.hardware import choose_device
from models.vgg import image_maps, image_vectors, maps_bytes
from models.vgg_weights import weights_fingerprint
from study.settings.schema import StudySettings

HOST_SHARE, DEVICE_SHARE = 1 / 4, 1 / 2
_LEVEL, _POSITIONS, _SECONDS = "level", "positions", "seconds"


def feature_kinds(settings: StudySettings) -> list[str]:
    """What the architectures of a study need of VGG16: `vector`, `maps`, both or nothing."""
    kinds = (architecture(name).features for name in settings.architectures)
    return list(dict.fromkeys(kind for kind in kinds if kind))


def store_features(
    settings: StudySettings, images: ImageSet, kind: str, used: np.ndarray, say: Callable[[str], None]
) -> CacheEntry | None:
    """Compute the features of a dataset into the cache, unless they are there.

    Args:
        settings: The study.
        images: The dataset.
        kind: See `feature_kinds`.
        used: Positions of the images that need them, in any order.
        say: Told before what may take minutes.

    Returns:
        Where they are; None if they are to be computed of every batch.

    Raises:
        ModelError: The weights are missing or wrong.
        CacheError: The cache cannot be written.
    """
    used = np.unique(used)
    needed = maps_bytes(len(used), images.size) if kind == "maps" else 0
    if settings.training.augmentation == "crop":
        say(f"{images.name}: VGG16 describes every batch anew, since images are cropped at random.")
        return None
    if reason := _too_large(needed, settings):
        say(
            f"{images.name}: VGG16's maps of {counted(len(used), 'image')} would take {needed / 1e9:.1f} GB, more "
            f"than {reason}; they are computed of every batch."
        )
        return None
    weights = settings.model.vgg16
    subset = hashlib.sha256(used.tobytes()).hexdigest()[:16]
    key = f"vgg16-{kind}-{images.fingerprint[:32]}-{weights_fingerprint(weights)[:32]}-{subset}-timed"
    size = f" ({needed / 1e6:.0f} MB)" if needed else ""
    say(
        f"{images.name}: VGG16's {'maps' if kind == 'maps' else 'vectors'} of {counted(len(used), 'image')}{size} …"
    )

    folder = default_cache()

    def build() -> dict[str, np.ndarray | Path]:
        started = time.perf_counter()
        device = choose_device(settings.model.device)
        levels: dict[str, Path] = {}

        def in_file(shape: tuple[int, ...], number: type[np.generic]) -> np.ndarray:
            name = f"{_LEVEL}{len(levels)}"
            levels[name] = folder / f"{key}.{name}"
            return np.lib.format.open_memmap(levels[name], mode="w+", dtype=number, shape=shape)

        describe = image_maps if kind == "maps" else image_vectors
        describe(images.grey, weights, device, positions=used, empty=in_file)
        return {**levels, _POSITIONS: used, _SECONDS: np.array([time.perf_counter() - started])}

    cached_arrays(folder, key, build)
    return CacheEntry(str(folder.absolute()), key, f"VGG16's features of {images.name}")


def _too_large(needed: int, settings: StudySettings) -> str:
    """What so many bytes of maps are too many for; empty if for nothing."""
    if needed > HOST_SHARE * _memory():
        return "a quarter of this machine's memory"
    device, gpus = choose_device(settings.model.device), settings.resources.gpus_per_trial
    if device.type == "cuda" and gpus != 0:
        share = min(1.0, gpus or 1.0)
        if needed > DEVICE_SHARE * share * torch.cuda.get_device_properties(device).total_memory:
            return "half of what a trial may have on this machine's GPU"
    return ""


def feature_seconds(entry: CacheEntry) -> float:
    """Device-seconds that the features took when they were computed, perhaps for an earlier study."""
    arrays = stored_arrays(Path(entry.folder), entry.key) or {}
    return float(arrays[_SECONDS][0]) if _SECONDS in arrays else 0.0


def opened_features(
    arrays: Mapping[str, np.ndarray] | None, describer: Callable[[], nn.Module], device: torch.device
) -> tuple[Features, Features]:
    """The features that batches are given on a device: of training and validation images, and of test images.

    Each final looks at the test images once, unflipped: storing their maps would be the longer way.

    Args:
        arrays: What `store_features` stored.
        describer: Gives VGG16 as the architecture needs it; called only where something is to be computed.
        device: Where batches appear.
    """
    computed = ComputedFeatures(_late(describer, device))
    if arrays is None or not _fits(arrays, device):
        return computed, computed
    levels = [arrays[name] for name in sorted(arrays) if name.startswith(_LEVEL)]
    if len(levels) == 1:
        vectors = StoredFeatures(levels[0], device, arrays[_POSITIONS])
        return vectors, vectors
    return StoredFeatures(levels, device, arrays[_POSITIONS]), computed


def _late(describer: Callable[[], nn.Module], device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    made: list[nn.Module] = []

    def describe(grey: torch.Tensor) -> torch.Tensor:
        if not made:
            made.append(describer().to(device))
        found: torch.Tensor = made[0](grey)
        return found

    return describe


def _fits(arrays: Mapping[str, np.ndarray], device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, total = torch.cuda.mem_get_info(device)
    share = torch.cuda.get_per_process_memory_fraction(device.index)
    return sum(array.nbytes for array in arrays.values()) <= DEVICE_SHARE * min(free, share * total)


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
