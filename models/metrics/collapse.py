"""Whether a training collapsed: to one colour, or to what needs no learning."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from models.learner import Batch, Features
from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import rgb_to_lab, to_unit
from models.metrics.trivial import MeanChroma

LEAST_CHROMA_VARIANCE = 0.01
"""Share of the truth's chroma variance below which predictions count as one colour: a tenth of its deviation."""


@torch.inference_mode()
def collapsed(
    predict: Callable[[Tensor, Features | None], Tensor], batches: Iterable[Batch], tint: MeanChroma
) -> bool:
    """Whether a model collapsed, by a rule that the test split has no part in.

    It did if, over all pixels of the validation images, a* and b* of its predictions together vary less than
    1 % of what they vary in the truth, or if its mean ΔE₀₀ is not below that of the best constant tint.

    Args:
        predict: Grey B×1×H×W (and features) → colour B×3×H×W, all in [−1, 1].
        batches: The validation images.
        tint: The best one, of the training images.
    """
    chroma, truth = _Variance(), _Variance()
    error, of_tint = 0.0, 0.0
    for batch in batches:
        lab = rgb_to_lab(to_unit(predict(batch.grey, batch.features)))
        lab_true = rgb_to_lab(to_unit(batch.colour))
        lab_tint = rgb_to_lab(to_unit(tint.predict(batch.grey)))
        chroma.add(lab[:, 1:])
        truth.add(lab_true[:, 1:])
        error += float(delta_e_2000(lab, lab_true).double().sum())
        of_tint += float(delta_e_2000(lab_tint, lab_true).double().sum())
    learnt = error < of_tint  # not so if it is NaN
    return not learnt or chroma.total() < LEAST_CHROMA_VARIANCE * truth.total()


class _Variance:
    """Variance over all pixels seen so far, the sum of both channels."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(2, dtype=torch.float64)
        self._squares = torch.zeros(2, dtype=torch.float64)

    def add(self, channels: Tensor) -> None:
        """B×2×H×W."""
        values = channels.double()
        self._count += values.shape[0] * values.shape[2] * values.shape[3]
        self._sum += values.sum(dim=(0, 2, 3)).cpu()
        self._squares += values.square().sum(dim=(0, 2, 3)).cpu()

    def total(self) -> float:
        return float((self._squares / self._count - (self._sum / self._count).square()).sum())
