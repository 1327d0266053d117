"""A final's evaluation on the test split, and the pictures that a report may show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from data_utils.batches import Batches
from data_utils.load_dataset import ImageSet
from data_utils.pictures import colour_tiles, grey_tiles, save_sheet, tile_side, tiles
from data_utils.splits import TEST
from models.learner import Features, Learner
from models.metrics.evaluation import evaluate
from study.storage.paths import PREDICTIONS, grey_path, truth_path
from study.training.trial_files import TrialFiles

_BLOCK = 256  # images that are made into tiles at a time


def publish_test(
    learner: Learner, batches: Batches, images: ImageSet, replicate: int, files: TrialFiles
) -> dict[str, np.ndarray]:
    """Evaluate on the test split; store the quantities image by image, and pictures of the predictions.

    Args:
        learner: With the weights to be evaluated.
        batches: The test split, in order.
        images: The whole set, by its name in the study.
        replicate: The first one that has this test split.
        files: The final's.

    Returns:
        Image quantities as `evaluate` gives them.
    """
    positions = images.indices(TEST)
    side = tile_side(len(positions), images.size)
    pictures: list[np.ndarray] = []

    def predict(grey: Tensor, features: Features | None) -> Tensor:
        prediction = learner.predict(grey, features)
        pictures.append(tiles(prediction, side))
        return prediction

    test = evaluate(predict, batches)
    with files.storage.staging(files.folder) as local:
        picture = local / "picture.jpg"
        # The truth is the same for all finals of a dataset; writing it again is cheaper than looking for it.
        for key, sheet in (
            (f"{files.folder}/{PREDICTIONS}", np.concatenate(pictures)),
            (truth_path(images.name, replicate), _in_blocks(colour_tiles, images.colour, positions, side)),
            (grey_path(images.name, replicate), _in_blocks(grey_tiles, images.grey, positions, side)),
        ):
            save_sheet(picture, sheet)
            files.storage.put_file(key, picture)
    files.save_evaluation(test)
    return test


def _in_blocks(
    tiled: Callable[[np.ndarray, int], np.ndarray], pixels: np.ndarray, positions: np.ndarray, side: int
) -> np.ndarray:
    """Tiles of these images; a large set's test split would not fit memory at its own size."""
    blocks = [positions[k : k + _BLOCK] for k in range(0, len(positions), _BLOCK)]
    return np.concatenate([tiled(pixels[block], side) for block in blocks])
