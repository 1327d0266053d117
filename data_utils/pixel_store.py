"""Where the pixels of a dataset live while batches are gathered from them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from data_utils.image_set import ImageSet


class Pixels(NamedTuple):
    """A gathered batch on the device, not yet flipped or normalised."""

    grey: Tensor  # B×S×S uint8
    colour: Tensor  # B×S×S×3 uint8


class ResidentImages:
    """All images of a set on the device; one copy per process, shared by all who ask for it.

    Sets that differ in their splits alone share it too.
    """

    _shared: ClassVar[WeakValueDictionary[tuple[int, str], ResidentImages]] = WeakValueDictionary()

    def __init__(self, images: ImageSet, device: torch.device) -> None:
        self._images = images  # keeps the set alive, and with it the identity it is shared under
        self._device = device
        self._grey = host_tensor(images.grey).to(device)
        self._colour = host_tensor(images.colour).to(device)

    @classmethod
    def shared(cls, images: ImageSet, device: torch.device) -> ResidentImages:
        """The copy of this set on this device, made at the first call."""
        key = (id(images.colour), str(device))
        resident = cls._shared.get(key)
        if resident is None:
            cls._shared[key] = resident = cls(images, device)
        return resident

    @classmethod
    def fits(cls, images: ImageSet, device: torch.device, fraction: float) -> bool:
        """Whether the set is on the device already or takes at most this fraction of the memory it may have there.

        That is what is free, or this process's share of the device if that is less.
        """
        if device.type != "cuda" or (id(images.colour), str(device)) in cls._shared:
            return True
        free, total = torch.cuda.mem_get_info(device)
        share = torch.cuda.get_per_process_memory_fraction(device.index)
        return images.grey.nbytes + images.colour.nbytes <= fraction * min(free, share * total)

    def gather(self, order: Tensor, batch_size: int) -> Iterator[Pixels]:
        """Pixels of the images at these positions (int64 on the host), batch by batch."""
        for index in torch.split(order.to(self._device), batch_size):
            yield Pixels(self._grey.index_select(0, index), self._colour.index_select(0, index))


class StreamedImages:
    """Images that stay in host memory, possibly memory-mapped; the next batch travels while one is used.

    On CUDA a batch is gathered into pinned memory and copied on a stream of its own.
    """

    def __init__(self, images: ImageSet, device: torch.device) -> None:
        self._device = device
        self._grey, self._colour = host_tensor(images.grey), host_tensor(images.colour)
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def gather(self, order: Tensor, batch_size: int) -> Iterator[Pixels]:
        """Pixels of the images at these positions (int64 on the host), one batch ahead of the consumer."""
        with ThreadPoolExecutor(1) as ahead:
            batches = torch.split(order, batch_size)
            pending = ahead.submit(self._fetch, batches[0])
            for following in (*batches[1:], None):
                pixels, arrived = pending.result()
                if following is not None:
                    pending = ahead.submit(self._fetch, following)
                if arrived is not None:
                    consumer = torch.cuda.current_stream(self._device)
                    consumer.wait_event(arrived)
                    for tensor in pixels:  # the allocator must not reuse them while the consumer reads
                        tensor.record_stream(consumer)
                yield pixels

    def _fetch(self, positions: Tensor) -> tuple[Pixels, torch.cuda.Event | None]:
        grey, colour = self._grey.index_select(0, positions), self._colour.index_select(0, positions)
        if self._stream is None:
            return Pixels(grey.to(self._device), colour.to(self._device)), None
        with torch.cuda.stream(self._stream):
            # Pinned blocks are recycled by torch's host allocator once their copies have completed.
            on_device = [t.pin_memory().to(self._device, non_blocking=True) for t in (grey, colour)]
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record(self._stream)
        return Pixels(*on_device), arrived


def host_tensor(array: np.ndarray) -> Tensor:
    """A tensor over the same memory; the array may be read-only, as mapped files and Ray's objects are."""
    with warnings.catch_warnings():
        # Nothing here writes to it, and a writable copy would double the dataset in memory.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
