"""From values per image to one row of a table."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from models.metrics.image import entropy

RATIOS = {
    "colourfulness_ratio": "colourfulness",
    "sharpness_ratio": "sharpness",
    "saturation_ratio": "saturation",
    "white_distance_ratio": "white_distance",
}


def summarise(quantities: Mapping[str, Tensor | ArrayLike]) -> dict[str, float]:
    """Average values per image over a set of images.

    Args:
        quantities: What `image_quantities` gives, collected over N images: name to (N), and the hue
            histograms as N×36.

    Returns:
        The mean of every quantity under its own name; for quantities that have a truth also the ratio of
        the two means, `colourfulness_ratio` and so on (NaN where the truth's mean is 0). A ratio of means
        instead of a mean of ratios, so that a nearly grey truth cannot dominate. Histograms are pooled over
        the images to `pooled_hue_entropy`, `pooled_hue_entropy_true` and their ratio.

    Raises:
        ValueError: When a quantity has no values.
    """
    row: dict[str, float] = {}
    for name, values in quantities.items():
        array = _as_array(values)
        if array.size == 0:
            raise ValueError(f"There are no values of {name!r} to summarise.")
        if name.startswith("hue_histogram"):
            pooled = entropy(torch.from_numpy(array.sum(axis=0)))
            row[name.replace("hue_histogram", "pooled_hue_entropy")] = float(pooled)
        else:
            row[name] = float(array.mean())
    for ratio, name in (*RATIOS.items(), ("pooled_hue_entropy_ratio", "pooled_hue_entropy")):
        if name in row and f"{name}_true" in row:
            truth = row[f"{name}_true"]
            row[ratio] = row[name] / truth if truth else float("nan")
    return row


def _as_array(values: Tensor | ArrayLike) -> NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
