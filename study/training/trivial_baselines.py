"""The trivial predictions on every test split, which a model must beat to have learnt anything."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from data_utils.batches import Batches
from data_utils.cache import cached_arrays, default_cache
from data_utils.load_dataset import ImageSet
from data_utils.splits import TEST, TRAIN
from models.metrics import TRIVIAL, grey_copy, mean_chroma, white
from models.metrics.evaluation import evaluate, summary_of
from models.metrics.table import ADDED
from models.metrics.tint import best_tint

_BATCH = 64
_VERSION = 2


def trivial_evaluations(images: ImageSet) -> dict[str, dict[str, np.ndarray]]:
    """Image quantities of each trivial prediction on the test split, by its name; computed once per split.

    Args:
        images: With the test split in question.
    """
    return {name: _evaluation(images, name) for name in TRIVIAL}


def _evaluation(images: ImageSet, name: str) -> dict[str, np.ndarray]:
    measured = "-".join([str(_VERSION), *sorted(ADDED)])
    key = f"trivial-{measured}-{name.replace(' ', '-')}-{images.fingerprint[:32]}"

    def build() -> dict[str, np.ndarray]:
        batches = Batches(images, images.indices(TEST), _BATCH, torch.device("cpu"), train=False)
        predict = _prediction(images, name)
        return evaluate(lambda grey, _: predict(grey), batches)

    return cached_arrays(default_cache(), key, build)


def _prediction(images: ImageSet, name: str) -> Callable[[Tensor], Tensor]:
    if name == "mean chroma":
        return mean_chroma(images.colour, images.indices(TRAIN)).predict
    if name == "best tint":
        return best_tint(images.colour, images.indices(TRAIN)).predict
    return {"grey copy": grey_copy, "white": white}[name]


def trivial_document(evaluations: dict[str, dict[int, dict[str, dict[str, np.ndarray]]]]) -> str:
    """Summaries by dataset and name, as JSON; over all test images where a dataset has several test splits.

    Args:
        evaluations: By dataset, first replicate with the test split, name, and quantity.
    """
    summaries = {
        dataset: {name: summary_of(_joined([rows[name] for rows in splits.values()])) for name in splits[1]}
        for dataset, splits in evaluations.items()
    }
    return json.dumps(summaries, indent=2)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
