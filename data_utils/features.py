"""What a frozen network says of the shown images: looked up where it was computed once, or computed anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from data_utils.pixel_store import host_tensor

FeatureTensors = Tensor | tuple[Tensor, ...]


class Features(Protocol):
    """Gives the features of a batch on the device."""

    def __call__(self, grey: Tensor, index: Tensor, flip: Tensor) -> FeatureTensors:
        """Features of the images as they are shown.

        Args:
            grey: B×S×S in 0…255 (uint8, or float after a crop), already flipped.
            index: B int64, positions in the set.
            flip: B bool.
        """
        ...


class StoredFeatures:
    """Features that were computed once, of every image as it is and mirrored.

    On a GPU they are kept there; on a CPU they stay where they are, possibly in mapped files.

    Args:
        arrays: 2×M×D, or 2×M×h×w×C for each of several layers; floats of any precision, plain and mirrored.
        device: Where batches appear.
        positions: M positions in the set, ascending, of the images that they belong to; None for all.
    """

    def __init__(
        self,
        arrays: np.ndarray | Sequence[np.ndarray],
        device: torch.device,
        positions: np.ndarray | None = None,
    ) -> None:
        self._single = isinstance(arrays, np.ndarray)
        listed = [arrays] if isinstance(arrays, np.ndarray) else list(arrays)
        # Plain and mirrored under each other: 2M×….
        self._tables = [host_tensor(one).flatten(0, 1).to(device) for one in listed]
        self._count = len(self._tables[0]) // 2
        self._positions = None if positions is None else torch.from_numpy(positions).to(device)

    def __call__(self, grey: Tensor, index: Tensor, flip: Tensor) -> FeatureTensors:
        """Look up the rows of these images: B×D, or B×C×h×w in memory as they are stored; float32."""
        row = index if self._positions is None else torch.searchsorted(self._positions, index)
        found = [table.index_select(0, row + self._count * flip).to(torch.float32) for table in self._tables]
        return found[0] if self._single else tuple(one.movedim(-1, 1) for one in found)


class ComputedFeatures:
    """Features computed of every batch: where memory is short, or images are cropped at random.

    Args:
        network: B×S×S grey in 0…255 → features, on the device of the batches.
    """

    def __init__(self, network: Callable[[Tensor], FeatureTensors]) -> None:
        self._network = network

    def __call__(self, grey: Tensor, index: Tensor, flip: Tensor) -> FeatureTensors:
        """Run the network."""
        return self._network(grey)
