"""What the driver prepared, on the node of a trial: mapped where the node sees the cache, else brought there once.

Images that were fetched from an address are fetched by each node itself, so that they do not all pass the driver's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from data_utils.errors import DataError
from data_utils.image_set import CacheEntry, ImageSet, SetSource
from data_utils.load_dataset import fetch_again
from data_utils.mapped_set import Piece, open_arrays, open_set, pieces_of, receive_arrays, receive_set
from models.plugins import load_packed

_AHEAD = 4  # pieces that may wait in the object store


def bring_data(
    plugins: Mapping[str, str | None], sets: Iterable[SetSource], arrays: Iterable[CacheEntry], driver: str
) -> str:
    """Bring all data of a study to this node.

    Args:
        plugins: See `models.plugins.packed`; a layout may be one's own.
        sets: Datasets.
        arrays: Other entries of the cache.
        driver: Id of the driver's node.

    Returns:
        A sentence for the user, or nothing.

    Raises:
        CacheError: What the driver prepared is gone, or this node's cache cannot be written.
    """
    load_packed(plugins)
    notes = []
    for source in sets:
        try:
            if open_set(source) is None:
                fetch_again(source)
        except DataError as error:
            notes.append(f"{str(error).rstrip('.')}. The decoded images come from the driver's node instead.")
        node_images(source, driver)
    for entry in arrays:
        node_arrays(entry, driver)
    return " ".join(notes)


def node_images(source: SetSource, driver: str) -> ImageSet:
    """A dataset, mapped from this node's disk, and sent there by the driver's node if it is not.

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
