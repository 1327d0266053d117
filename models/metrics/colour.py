"""Colour spaces: sRGB, CIE Lab under D65, BT.601 luma.

Sources: IEC 61966-2-1 (sRGB transfer curve), ITU-R BT.709 (primaries), CIE 15 (Lab), ITU-R BT.601 (luma).
The matrix and the white point (2° observer) are written with the digits scikit-image uses, so that values
agree with it beyond float32.

Every sum over channels is written out instead of a matrix product: matrix products drop to bf16 under
autocast and may drop to TF32 on a GPU, and both would show in the third decimal of ΔE₀₀.
"""

import torch
from torch import Tensor

XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
WHITE = (0.95047, 1.0, 1.08883)
LUMA = (0.299, 0.587, 0.114)

_FROM_RGB = tuple(tuple(m / w for m in row) for row, w in zip(XYZ_FROM_RGB, WHITE, strict=True))
_TO_RGB = tuple(
    tuple(m * w for m, w in zip(row, WHITE, strict=True))
    for row in torch.linalg.inv(torch.tensor(XYZ_FROM_RGB, dtype=torch.float64)).tolist()
)


def _weighted(channels: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Weighted sum over the three channels: B×3×H×W to B×H×W."""
    first, second, third = channels.unbind(1)
    return (first * weights[0]).add_(second, alpha=weights[1]).add_(third, alpha=weights[2])


def luma(rgb: Tensor) -> Tensor:
    """BT.601 luma of gamma-encoded RGB.

    Args:
        rgb: B×3×H×W in any range.

    Returns:
        B×H×W in the same range.
    """
    return _weighted(rgb, LUMA)


# The four curves below are a power above a threshold and a line under it. Adding the two clamped parts equals
# selecting one of them, since both meet at the threshold, and is several times faster than torch.where.


def linear(rgb: Tensor) -> Tensor:
    """Undo the sRGB transfer curve: any shape in [0, 1] to linear light in [0, 1]."""
    power = rgb.clamp(min=0.04045).add_(0.055).div_(1.055).pow_(2.4)
    return power.add_((rgb - 0.04045).clamp_(max=0), alpha=1 / 12.92)


def _encoded(light: Tensor) -> Tensor:
    """Apply the sRGB transfer curve to linear light; negative light stays negative."""
    power = light.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return power.add_((light - 0.0031308).clamp_(max=0), alpha=12.92)


def _lab_f(t: Tensor) -> Tensor:
    return t.clamp(min=0.008856).pow_(1 / 3).add_((t - 0.008856).clamp_(max=0), alpha=7.787)


def _lab_f_inverse(f: Tensor) -> Tensor:
    return f.clamp(min=0.2068966).pow_(3).add_((f - 0.2068966).clamp_(max=0), alpha=1 / 7.787)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """SRGB to CIE Lab (D65, 2° observer).

    Args:
        rgb: B×3×H×W in [0, 1].

    Returns:
        B×3×H×W: L* in [0, 100], a* and b* within about ±110.
    """
    light = linear(rgb)
    fx, fy, fz = (_lab_f(_weighted(light, row)) for row in _FROM_RGB)
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIE Lab (D65) to sRGB.

    Args:
        lab: B×3×H×W.

    Returns:
        B×3×H×W; outside [0, 1] where the colour is outside the sRGB gamut (clip it for display).
    """
    lightness, a, b = lab.unbind(1)
    fy = (lightness + 16) / 116
    relative_xyz = _lab_f_inverse(torch.stack((fy + a / 500, fy, fy - b / 200), dim=1))
    return _encoded(torch.stack([_weighted(relative_xyz, row) for row in _TO_RGB], dim=1))


def lightness_of_grey(grey: Tensor) -> Tensor:
    """L* of a grey image: B×1×H×W in [0, 1] to B×H×W in [0, 100]."""
    return 116 * _lab_f(linear(grey[:, 0])) - 16


def keep_luminance(prediction: Tensor, grey: Tensor) -> Tensor:
    """Give a prediction the lightness of the grey image it was made from.

    Args:
        prediction: B×3×H×W in [-1, 1]; clipped first.
        grey: B×1×H×W in [-1, 1].

    Returns:
        B×3×H×W in [-1, 1]: a* and b* of the prediction with the input's L*, clipped to the gamut.
    """
    lab = rgb_to_lab(to_unit(prediction))
    lab[:, 0] = lightness_of_grey(to_unit(grey))
    return lab_to_rgb(lab).clamp_(0, 1).mul_(2).sub_(1)


def to_unit(image: Tensor) -> Tensor:
    """The networks' range [-1, 1] to [0, 1] in float32, clipped."""
    return image.float().add(1).mul_(0.5).clamp_(0, 1)
