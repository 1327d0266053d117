"""The kernel inception distance of a set of pictures from the true ones, where its network is at hand.

M. Bińkowski et al.: "Demystifying MMD GANs", ICLR 2018. The network is the Inception of torch-fidelity, whose weights
are taken from torch's cache and never downloaded here.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn

from models.errors import ModelError

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
FEWEST = 20
"""Pictures below which the distance is mostly noise and is not computed."""
_FEATURES = "2048"
_BATCH = 32
_ROWS = 256  # of the kernel's matrix that are held at a time; all of it would be 13 GB for 20 000 images

Array = NDArray[np.float64]


class Distance(NamedTuple):
    """A distance with its 95 % interval over images; it is unbiased, so that 0 and less is no difference."""

    value: float
    low: float
    high: float


def inception(device: torch.device) -> nn.Module:
    """The network: N×3×H×W uint8 to N×2048.

    Raises:
        ModelError: The package or its weights are not here; the message says how to get them.
    """
    if find_spec("torch_fidelity") is None:
        raise ModelError("KID was not measured: it needs torch-fidelity, which is not installed.")
    weights = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    if not weights.exists():
        raise ModelError(f"KID was not measured: torch-fidelity's network {weights} is not there.")
    from torch_fidelity.feature_extractor_inceptionv3 import (  # type: ignore[import-not-found, import-untyped]
        FeatureExtractorInceptionV3,
    )

    extractor = FeatureExtractorInceptionV3(
        "inception", [_FEATURES], feature_extractor_weights_path=str(weights)
    )
    network: nn.Module = extractor.to(device).eval()
    return network


@torch.inference_mode()
def features_of(pictures: NDArray[np.uint8], network: nn.Module, device: torch.device) -> Array:
    """N×side×side×3 uint8 to N×features."""
    parts = []
    for start in range(0, len(pictures), _BATCH):
        batch = torch.from_numpy(pictures[start : start + _BATCH]).permute(0, 3, 1, 2).to(device)
        found = network(batch)
        parts.append((found[0] if isinstance(found, tuple) else found).double().cpu().numpy())
    return np.concatenate(parts)


def kernel_distance(predicted: Array, truth: Array) -> Distance:
    """The squared maximum mean discrepancy with the kernel (xᵀy / d + 1)³, unbiased.

    The interval is that of the jackknife over images: each is left out on both sides.

    Args:
        predicted: N×d features.
        truth: N×d features of the same images.

    Returns:
        NaN for fewer than `FEWEST` images.
    """
    count = len(predicted)
    if count < FEWEST:
        return Distance(math.nan, math.nan, math.nan)
    rows = np.concatenate([_row_sums(predicted, truth, k) for k in range(0, count, _ROWS)])
    total = rows.sum()
    value = total / (count * (count - 1))
    without = (total - 2 * rows) / ((count - 1) * (count - 2))
    error = math.sqrt((count - 1) / count * float(np.square(without - without.mean()).sum()))
    half = float(stats.t.isf(0.025, count - 1)) * error
    return Distance(float(value), float(value) - half, float(value) + half)


def _row_sums(predicted: Array, truth: Array, first: int) -> Array:
    """Sums over j of k(xᵢ, xⱼ) + k(yᵢ, yⱼ) − k(xᵢ, yⱼ) − k(yᵢ, xⱼ) for some rows i from the first on."""
    rows = slice(first, first + _ROWS)
    pairs = sum(
        sign * (some[rows] @ others.T / others.shape[1] + 1) ** 3
        for some, others, sign in (
            (predicted, predicted, 1),
            (truth, truth, 1),
            (predicted, truth, -1),
            (truth, predicted, -1),
        )
    )
    # The pairs of one image with itself are left out of all, as the jackknife leaves images out of all.
    own = np.arange(len(pairs))
    pairs[own, first + own] = 0.0
    return pairs.sum(axis=1)
