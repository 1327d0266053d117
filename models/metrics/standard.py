"""PSNR and SSIM as torchmetrics computes them."""

from typing import cast

import torch
from torch import Tensor

import models.torchvision_shim  # noqa: F401  torchmetrics imports torchvision, which needs the shim first

# isort: split
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

PSNR_CEILING = 100.0
"""PSNR in dB of identical images, which would otherwise make every mean infinite."""

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


def psnr(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, at most `PSNR_CEILING`: B×3×H×W in [0, 1] to (B)."""
    values = peak_signal_noise_ratio(rgb, rgb_true, data_range=1.0, dim=(1, 2, 3), reduction="none")
    return values.clamp_(max=PSNR_CEILING)


def ssim(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Structural similarity: data range 1, Gaussian window 11×11, σ 1.5, mean over channels and pixels.

    Args:
        rgb: B×3×H×W in [0, 1].
        rgb_true: Same shape.

    Returns:
        (B). Where a side is under 11 pixels, σ and window shrink in proportion to the shorter side.
    """
    sigma = SSIM_SIGMA * min(1.0, min(rgb.shape[-2:]) / SSIM_WINDOW)
    # A convolution drops to bf16 under autocast, and to TF32 on a GPU unless told otherwise.
    with (
        torch.autocast(rgb.device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
    ):
        values = structural_similarity_index_measure(
            # This memory format halves the time of the window's convolution on a CPU.
            rgb.contiguous(memory_format=torch.channels_last),
            rgb_true.contiguous(memory_format=torch.channels_last),
            sigma=sigma,
            data_range=1.0,
            reduction="none",
        )
    return cast(Tensor, values)
