"""Every metric of a model on a split, image by image, raw and with the input's luminance kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from torch import Tensor

from models.learner import Batch, Features
from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import keep_luminance, rgb_to_lab, to_unit
from models.metrics.image import image_quantities
from models.metrics.names import INDEX, KEPT
from models.metrics.summary import summarise
from models.metrics.table import OBJECTIVE

Predict = Callable[[Tensor, Features | None], Tensor]


class IndexedBatch(Batch, Protocol):
    """A batch that knows which images it holds."""

    @property
    def index(self) -> Tensor:
        """B int64, the images' positions in their set."""
        ...


@torch.inference_mode()
def evaluate(predict: Predict, batches: Iterable[IndexedBatch]) -> dict[str, np.ndarray]:
    """Image quantities (N each) of a model's predictions.

    Args:
        predict: grey B×1×H×W (and features) → colour B×3×H×W, all in [−1, 1].
        batches: The split, in order.

    Returns:
        By name; `kept_<name>` is the quantity of the prediction with the input's luminance; `index` are
        the images' positions in their set.
    """
    parts = []
    for batch in batches:
        prediction = predict(batch.grey, batch.features)
        raw = image_quantities(prediction, batch.colour)
        kept = image_quantities(keep_luminance(prediction, batch.grey), batch.colour)
        parts.append({**raw, **{f"{KEPT}{name}": value for name, value in kept.items()}, INDEX: batch.index})
    return {name: torch.cat([part[name].cpu() for part in parts]).numpy() for name in parts[0]}


def validation_quantities(prediction: Tensor, batch: Batch, *, kept: bool = False) -> dict[str, Tensor]:
    """What a validation after each epoch measures, (B) each.

    Args:
        prediction: B×3×H×W in [−1, 1].
        batch: What it was made from.
        kept: Measure `kept_ciede2000` as well, the objective of the prediction with the input's luminance.
    """
    found = image_quantities(prediction, batch.colour, quick=True)
    if kept:
        lab, true = (
            rgb_to_lab(to_unit(one)) for one in (keep_luminance(prediction, batch.grey), batch.colour)
        )
        found[KEPT + OBJECTIVE] = delta_e_2000(lab, true).mean(dim=(1, 2))
    return found


def summary_of(quantities: Mapping[str, ArrayLike]) -> dict[str, float]:
    """One number per metric, raw and (`kept_…`) with the input's luminance."""
    raw = {name: value for name, value in quantities.items() if not name.startswith(KEPT) and name != INDEX}
    kept = {name.removeprefix(KEPT): value for name, value in quantities.items() if name.startswith(KEPT)}
    return {**summarise(raw), **{f"{KEPT}{name}": value for name, value in summarise(kept).items()}}


def save_evaluation(
    path: Path, quantities: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Keep the values of every image in one safetensors file, with texts by name beside them."""
    arrays = {name: np.ascontiguousarray(value) for name, value in quantities.items()}
    save_file(arrays, path, metadata=dict(metadata or {}))


def load_evaluation(path: Path) -> dict[str, np.ndarray]:
    """The arrays of `save_evaluation`, by name."""
    return dict(load_file(path))


def evaluation_metadata(path: Path) -> dict[str, str]:
    """The texts that `save_evaluation` was given, by name."""
    with safe_open(path, framework="np") as file:
        return file.metadata() or {}
