"""ST-LPIPS, an optional perceptual metric.

A. Ghildyal, F. Liu: "Shift-tolerant Perceptual Similarity Metric", ECCV 2022. It comes as the extra
`perceptual`, whose package carries its own weights: nothing is downloaded when it is used.
"""

import sys
from functools import cache
from importlib.util import find_spec
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.errors import ModelError
from models.metrics.table import METRICS, register_metric

NAME = "st_lpips"
SMALLEST = 64
"""Side in pixels of the patches that the metric was trained on."""


def register_st_lpips() -> bool:
    """Add `st_lpips` to every full evaluation where its package is installed.

    Returns:
        Whether the metric is now measured.

    Raises:
        ModelError: When the package is installed but something that it imports is not.
    """
    if NAME in METRICS:
        return True
    if "stlpips_pytorch" not in sys.modules and find_spec("stlpips_pytorch") is None:
        return False
    try:
        _network(torch.device("cpu"))
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The package stlpips-pytorch needs {error.name}, which is not installed; "
            "install this project with its extra [perceptual]."
        ) from error
    register_metric(
        NAME, st_lpips, "lower", definition="ST-LPIPS (AlexNet, shift tolerant), a learnt perceptual distance"
    )
    return True


@torch.inference_mode()
def st_lpips(prediction: Tensor, truth: Tensor) -> Tensor:
    """Perceptual distance: B×3×H×W in [-1, 1] twice to (B), 0 for identical images.

    Images with a side under 64 pixels, for which the network is too deep, are enlarged to that first.
    """
    scale = SMALLEST / min(prediction.shape[-2:])
    if scale > 1:
        prediction, truth = (interpolate(x, scale_factor=scale, mode="bilinear") for x in (prediction, truth))
    with torch.autocast(prediction.device.type, enabled=False):
        return cast(Tensor, _network(prediction.device)(prediction, truth)).flatten()


@cache
def _network(device: torch.device) -> nn.Module:
    import models.torchvision_shim  # noqa: F401  stlpips_pytorch imports torchvision

    # isort: split
    from stlpips_pytorch.stlpips import LPIPS  # type: ignore[import-not-found, import-untyped]

    network: nn.Module = LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    return network.to(device).eval().requires_grad_(False)
