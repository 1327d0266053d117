"""Colours that a display cannot show, brought back by reducing their chroma at constant lightness and hue."""

import torch
from torch import Tensor

from models.metrics.colour import lab_to_rgb

_TOLERANCE = 1 / 510  # half of one 8-bit level: what rounding would remove anyway
_STEPS = 10  # bisections, each halves the error of the chroma


def lab_to_rgb_in_gamut(lab: Tensor) -> Tensor:
    """CIE Lab (D65) to sRGB that can be shown.

    Clipping RGB would change lightness and hue; instead a* and b* are scaled by the largest factor that stays
    inside the gamut, found by bisection. Factor 0 is a neutral grey, which is always inside.

    Args:
        lab: B×3×H×W with L* in [0, 100].

    Returns:
        B×3×H×W in [0, 1]; colours inside the gamut unchanged.
    """
    rgb = lab_to_rgb(lab)
    outside = ((rgb < -_TOLERANCE) | (rgb > 1 + _TOLERANCE)).any(dim=1)  # B×H×W
    if outside.any():
        rgb.permute(0, 2, 3, 1)[outside] = _reduced(lab.permute(0, 2, 3, 1)[outside])
    return rgb.clamp_(0, 1)


def _reduced(lab: Tensor) -> Tensor:
    """K×3 Lab outside the gamut to K×3 RGB on its border."""
    low, high = torch.zeros_like(lab[:, :1]), torch.ones_like(lab[:, :1])
    for _ in range(_STEPS):
        middle = (low + high) / 2
        rgb = _scaled(lab, middle)
        inside = ((rgb >= -_TOLERANCE) & (rgb <= 1 + _TOLERANCE)).all(dim=1, keepdim=True)
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return _scaled(lab, low)


def _scaled(lab: Tensor, factor: Tensor) -> Tensor:
    scaled = torch.cat([lab[:, :1], lab[:, 1:] * factor], dim=1)  # K×3
    return lab_to_rgb(scaled[:, :, None, None])[:, :, 0, 0]
