"""The CIEDE2000 colour difference, the study's objective.

G. Sharma, W. Wu, E. N. Dalal: "The CIEDE2000 color-difference formula: implementation notes, supplementary
test data, and mathematical observations", Color Research and Application 30(1), 2005. Equation numbers below
are that paper's. All parametric factors k are 1.

Hues are carried as unit vectors instead of angles: their mean is the normalised sum of the vectors, the
cosines of multiples of the mean hue are polynomials of its components, and one arc tangent remains.
"""

import math

import torch
from torch import Tensor

Chromatic = tuple[Tensor, Tensor, Tensor]
"""a', b and C' of an image, each B×H×W."""

_25_POW_7 = 25.0**7
_NO_CHROMA = 1e-12


def _cos_sin(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


_C30, _S30 = _cos_sin(30)
_C6, _S6 = _cos_sin(6)
_C63, _S63 = _cos_sin(63)


def delta_e_2000(lab1: Tensor, lab2: Tensor) -> Tensor:
    """CIEDE2000 difference of two Lab images, per pixel.

    Args:
        lab1: B×3×H×W (L*, a*, b*), float32 or float64.
        lab2: Same shape and type.

    Returns:
        B×H×W, at least 0. NaN where an input is NaN.
    """
    l1, a1, b1 = lab1.unbind(1)
    l2, a2, b2 = lab2.unbind(1)
    stretch = 1.5 - 0.5 * _sqrt_ratio_7((_norm(a1, b1) + _norm(a2, b2)) * 0.5)  # 1 + G, eq. 4
    a1, a2 = a1 * stretch, a2 * stretch  # eq. 5
    c1, c2 = _norm(a1, b1), _norm(a2, b2)  # eq. 6
    mean_c = (c1 + c2) * 0.5
    cos, sin, delta_h = _hues((a1, b1, c1), (a2, b2, c2))

    square_l = ((l1 + l2) * 0.5 - 50).square_()
    scaled_l = (l2 - l1) / (1 + 0.015 * square_l / (square_l + 20).sqrt_())  # eq. 18
    scaled_c = (c2 - c1) / (1 + 0.045 * mean_c)  # eq. 19
    scaled_h = delta_h / (1 + 0.015 * mean_c * _hue_weight(cos, sin))  # eq. 20
    rotated = _rotation(cos, sin, mean_c) * scaled_c * scaled_h
    total = scaled_l.square_() + scaled_c.square_() + scaled_h.square_() + rotated  # eq. 22
    return total.clamp_(min=0).sqrt_()


def _norm(a: Tensor, b: Tensor) -> Tensor:
    return (a * a).addcmul_(b, b).sqrt_()


def _sqrt_ratio_7(chroma: Tensor) -> Tensor:
    """√(C⁷ / (C⁷ + 25⁷)), in eq. 4 and 17."""
    square = chroma * chroma
    seventh = square * square * square * chroma
    return (seventh / (seventh + _25_POW_7)).sqrt_()


def _hues(first: Chromatic, second: Chromatic) -> tuple[Tensor, Tensor, Tensor]:
    """Cosine and sine of the mean hue (eq. 14), and ΔH' (eq. 11), signed by the turn from 1 to 2.

    Weighted with each other's chroma both vectors have length C₁'C₂'; then their sum points halfway along the
    shorter arc and their difference has length 2 C₁'C₂' sin(Δh/2).
    """
    (a1, b1, c1), (a2, b2, c2) = first, second
    eps = torch.finfo(c1.dtype).eps
    # A colourless pixel has no say in the mean; its partner must keep some weight.
    weight1, weight2 = c2 + _NO_CHROMA, c1 + _NO_CHROMA
    a1w, b1w, a2w, b2w = a1 * weight1, b1 * weight1, a2 * weight2, b2 * weight2
    # The sum of exactly opposite vectors is 0. The paper then takes the mean of both angles in [0°, 360°),
    # a quarter turn on from the vector in the upper half plane: a nudge that way, too small to matter else.
    upper = eps * torch.ones_like(b1).copysign_(b1w.add(a1w, alpha=_NO_CHROMA))
    a, b = (a1w + a2w).addcmul_(upper, b1w, value=-1), (b1w + b2w).addcmul_(upper, a1w)
    length = _norm(a, b).clamp_(min=torch.finfo(c1.dtype).tiny)
    delta_h = _norm(a2w - a1w, b2w - b1w) * (c1 * c2).sqrt_() / (weight1 * weight2)
    return a / length, b / length, delta_h.copysign_((a1 * b2).addcmul_(a2, b1, value=-1))


def _hue_weight(cos: Tensor, sin: Tensor) -> Tensor:
    """T (eq. 15): cosines of one to four times the mean hue."""
    cos2, sin2 = cos * cos - sin * sin, 2 * sin * cos
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    cos4, sin4 = cos2 * cos2 - sin2 * sin2, 2 * sin2 * cos2
    return (
        1
        - 0.17 * (_C30 * cos + _S30 * sin)
        + 0.24 * cos2
        + 0.32 * (_C6 * cos3 - _S6 * sin3)
        - 0.20 * (_C63 * cos4 + _S63 * sin4)
    )


def _rotation(cos: Tensor, sin: Tensor, mean_c: Tensor) -> Tensor:
    """R_T (eq. 16, 17, 21): the rotation in the blue region, around a mean hue of 275°."""
    half_turn_on = torch.atan2(-sin, -cos)  # mean hue - 180°, so that the mean hue itself is in [0°, 360°)
    off_blue = half_turn_on.mul_(math.degrees(1) / 25).add_((180 - 275) / 25).square_().neg_()
    return -2 * _sqrt_ratio_7(mean_c) * torch.sin(off_blue.exp_().mul_(math.radians(60)))
