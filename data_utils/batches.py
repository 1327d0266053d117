"""Batches on the device: shuffled, flipped and normalised there, reproducibly from (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_utils.augmentation import AUGMENTATIONS, crop, mirror, random_windows
from data_utils.features import Features, FeatureTensors
from data_utils.image_set import ImageSet
from data_utils.pixel_store import Pixels, ResidentImages, StreamedImages


class Batch(NamedTuple):
    """Images and what belongs to them, on the device."""

    grey: Tensor  # B×1×S×S float32 in [−1, 1]
    colour: Tensor  # B×3×S×S float32 in [−1, 1], RGB
    features: FeatureTensors | None  # of the images as they are shown
    index: Tensor  # type: ignore[assignment]  # B int64, positions in the ImageSet (hides tuple.index)


class Batches:
    """The batches of some images of a set.

    For training every epoch has its own order and its own horizontal flips, both functions of
    ``(seed, epoch number)`` alone, and a last partial batch is dropped unless it is the only one. Otherwise
    all images come in the given order, unflipped.

    Args:
        images: the set.
        indices: positions in it, of the images to use.
        batch_size: B.
        device: where batches appear.
        train: shuffle, flip and drop the partial batch.
        seed: non-negative.
        features: what else belongs to the images: ``StoredFeatures`` or ``ComputedFeatures``.
        augmentation: ``flip``, or ``crop``: flips and random windows of at least 3/4 of the side.
        max_device_fraction: share of the device's free memory (CUDA) that the images may take; larger sets
            are streamed from the host, in the same order.
        streaming: decide instead of measuring; mostly for tests.
        part: for training by several processes, the number of this one and how many there are; each has
            its own rows of the batches that one alone would have.

    Attributes:
        streaming: whether batches come from the host.
        share: of a training batch's images that this process has.

    Raises:
        ValueError: no images, a batch size below one, batches of fewer images than there are processes, or
            an unknown augmentation.
    """

    def __init__(
        self,
        images: ImageSet,
        indices: np.ndarray,
        batch_size: int,
        device: torch.device,
        *,
        train: bool,
        seed: int = 0,
        features: Features | None = None,
        augmentation: str = "flip",
        max_device_fraction: float = 0.5,
        streaming: bool | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        if len(indices) == 0 or batch_size < 1:
            raise ValueError(f"batches of {batch_size} out of {len(indices)} images are impossible")
        if augmentation not in AUGMENTATIONS:
            raise ValueError(f"augmentation {augmentation!r} is unknown; choose {' or '.join(AUGMENTATIONS)}")
        self._indices = np.asarray(indices, np.int64)
        self._batch_size, self._device, self._train, self._seed = batch_size, device, train, seed
        if streaming is None:
            streaming = not ResidentImages.fits(images, device, max_device_fraction)
        self.streaming = streaming
        self._images = StreamedImages(images, device) if streaming else ResidentImages.shared(images, device)
        self._size = images.size
        self._features = features
        self._crops = train and augmentation == "crop"
        number, processes = part
        self._whole = min(batch_size, len(indices))  # images of each training batch
        if self._whole < processes:
            raise ValueError(f"{processes} processes cannot share batches of {self._whole} images")
        self._rows = slice(self._whole * number // processes, self._whole * (number + 1) // processes)
        self.share = (self._rows.stop - self._rows.start) / self._whole

    def __len__(self) -> int:
        """Batches per epoch."""
        whole, rest = divmod(len(self._indices), self._batch_size)
        return max(1, whole) if self._train else whole + bool(rest)

    @property
    def images_per_epoch(self) -> int:
        """Images that an epoch shows, in all processes together."""
        return min(len(self._indices), len(self) * self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of epoch 0: for validation and test, all there are."""
        return self.epoch(0)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch.

        Args:
            number: of the epoch, from 0; without effect unless training.
        """
        order, flips = self._indices, np.zeros(len(self._indices), bool)
        windows = np.zeros((len(self._indices), 0), np.float32)
        size = self._batch_size
        if self._train:
            rng = np.random.default_rng([self._seed, number])
            order, flips = rng.permutation(order), rng.random(len(order)) < 0.5
            windows = random_windows(len(order), rng) if self._crops else windows
            order, flips, windows = self._own(order), self._own(flips), self._own(windows)
            size = self._rows.stop - self._rows.start
        shown = torch.from_numpy(order)
        # One transfer per epoch, not per batch.
        index_batches = torch.split(shown.to(self._device), size)
        flip_batches = torch.split(torch.from_numpy(flips).to(self._device), size)
        window_batches = torch.split(torch.from_numpy(windows).to(self._device), size)
        pixel_batches = self._images.gather(shown, size)
        for parts in zip(index_batches, flip_batches, window_batches, pixel_batches, strict=True):
            yield self._finish(*parts)

    def _own(self, values: np.ndarray) -> np.ndarray:
        """This process's rows of each training batch."""
        batches = values[: self.images_per_epoch].reshape(len(self), self._whole, *values.shape[1:])
        return np.concatenate(batches[:, self._rows])

    def _finish(self, index: Tensor, flip: Tensor, windows: Tensor, pixels: Pixels) -> Batch:
        grey = pixels.grey[:, None]
        colour = pixels.colour.permute(
            0, 3, 1, 2
        ).contiguous()  # as bytes: a quarter of the traffic of floats
        if self._train:
            grey, colour = mirror(grey, flip), mirror(colour, flip)
        if self._crops:
            grey, colour = crop(grey, windows), crop(colour, windows)
        features = None if self._features is None else self._features(grey[:, 0], index, flip)
        return Batch(normalise(grey), normalise(colour), features, index)


def normalise(pixels: Tensor) -> Tensor:
    """Bring 0…255 to float32 in [−1, 1]: 0 becomes −1 and 255 becomes 1, both exactly."""
    return pixels.to(torch.float32).div_(127.5).sub_(1)
