"""PSNR and SSIM as torchmetrics computes them."""

from typing import cast

import torch
from torch import Tensor

import models.torchvision_shim  # noqa: F401  torchmetrics imports torchvision, which needs the shim first

# isort: split
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

PSNR_CEILING = 100.0
"""PSNR in dB of identical images, which would otherwise make every mean infinite."""

SSIM_RADIUS = 5
SSIM_SIGMA = 1.5


def psnr(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, at most `PSNR_CEILING`: B×3×H×W in [0, 1] to (B)."""
    values = peak_signal_noise_ratio(rgb, rgb_true, data_range=1.0, dim=(1, 2, 3), reduction="none")
    return values.clamp_(max=PSNR_CEILING)


def ssim(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Structural similarity: data range 1, Gaussian window 11×11, σ 1.5, mean over channels and pixels.

    As Z. Wang et al. define it (IEEE Trans. Image Processing 13, 2004), of the pixels whose whole window lies inside.
    Padding, as torchmetrics has it, counts a plain border twice and raises the value by up to 0.06.

    Args:
        rgb: B×3×H×W in [0, 1].
        rgb_true: Same shape.

    Returns:
        (B). Where a side is under 11 pixels, window and σ shrink in proportion to fit into it.
    """
    radius = max(1, min(SSIM_RADIUS, (min(rgb.shape[-2:]) - 1) // 2))
    # A convolution drops to bf16 under autocast, and to TF32 on a GPU unless told otherwise.
    with (
        torch.autocast(rgb.device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
    ):
        _, full = structural_similarity_index_measure(
            # This memory format halves the time of the window's convolution on a CPU.
            rgb.contiguous(memory_format=torch.channels_last),
            rgb_true.contiguous(memory_format=torch.channels_last),
            sigma=SSIM_SIGMA * radius / SSIM_RADIUS,
            data_range=1.0,
            reduction="none",
            return_full_image=True,
        )
    return cast(Tensor, full)[..., radius:-radius, radius:-radius].mean(dim=(1, 2, 3))
