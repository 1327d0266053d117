"""What the driver prepared, on the node of a trial: mapped where the node sees the cache, else brought there once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from data_utils.image_set import CacheEntry, ImageSet, SetSource
from data_utils.mapped_set import Piece, open_arrays, open_set, pieces_of, receive_arrays, receive_set

_AHEAD = 4  # pieces that may wait in the object store


def node_images(source: SetSource, driver: str) -> ImageSet:
    """A dataset, mapped from this node's disk.

    Args:
        source: Where the driver prepared it.
        driver: Id of the driver's node.

    Raises:
        CacheError: It is gone, or this node's cache cannot be written.
    """
    images = open_set(source)
    return receive_set(source, _pieces(source, driver)) if images is None else images


def node_arrays(entry: CacheEntry, driver: str) -> dict[str, np.ndarray]:
    """The same for other arrays in the cache."""
    arrays = open_arrays(entry)
    return receive_arrays(entry, _pieces(entry, driver)) if arrays is None else arrays


def _pieces(entry: CacheEntry, driver: str) -> Iterator[Piece]:
    read = ray.remote(num_cpus=0, num_returns="streaming", _generator_backpressure_num_objects=_AHEAD)(
        pieces_of
    )
    there = NodeAffinitySchedulingStrategy(driver, soft=False)
    for piece in read.options(scheduling_strategy=there).remote(entry):
        yield ray.get(piece)
