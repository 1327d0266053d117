"""Discriminators of the conditional GAN (Isola et al. 2017, arXiv 1611.07004): an answer per image or per patch."""

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.settings import PAPER_WIDTH, scaled

DISCRIMINATORS = ("image", "patch")


def convolve(inputs: int, outputs: int, stride: int = 2) -> nn.Sequential:
    """4×4 convolution, BatchNorm, LeakyReLU 0.2; with stride 2 half the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 4, stride, padding=1, bias=False),  # BatchNorm would cancel a bias
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2, inplace=True),
    )


class Discriminator(nn.Module):
    """Does this colour belong to this grey?

    Args:
        width: Channels of the first layer (64 in the paper); all others scale with it.
    """

    stride = 16  # four halvings

    def __init__(self, width: int = PAPER_WIDTH) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.convolutions = nn.Sequential(
            nn.Conv2d(4, c64, 4, stride=2, padding=1),  # H/2
            nn.LeakyReLU(0.2, inplace=True),
            convolve(c64, c128),  # H/4
            convolve(c128, c256),  # H/8
            convolve(c256, c512),  # H/16
        )
        self.to_logit = nn.Linear(c512, 1)

    def forward(self, grey: Tensor, colour: Tensor) -> Tensor:
        """B×1×H×W and B×3×H×W in [−1, 1] → B logits.

        The probability is the logit's sigmoid, which the losses take in float32: in bfloat16 it would
        round to 1 from a logit of 6.2 on.
        """
        x = self.convolutions(torch.cat([grey, colour], dim=1))  # B×512×H/16×W/16
        pooled = x.mean(dim=(2, 3))  # B×512
        return self.to_logit(pooled).squeeze(1)  # type: ignore[no-any-return]  # B


class PatchDiscriminator(nn.Module):
    """Does the colour of each patch of 70×70 pixels belong to its grey? The PatchGAN of Isola et al. 2017.

    Args:
        width: Channels of the first layer (64 in the paper); all others scale with it.
    """

    stride = 8  # three halvings

    def __init__(self, width: int = PAPER_WIDTH) -> None:
        super().__init__()
        c64, c128, c256, c512 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.convolutions = nn.Sequential(
            nn.Conv2d(4, c64, 4, stride=2, padding=1),  # H/2
            nn.LeakyReLU(0.2, inplace=True),
            convolve(c64, c128),  # H/4
            convolve(c128, c256),  # H/8
            convolve(c256, c512, stride=1),  # H/8 − 1
            nn.Conv2d(c512, 1, 4, padding=1),  # H/8 − 2
        )

    def forward(self, grey: Tensor, colour: Tensor) -> Tensor:
        """B×1×H×W and B×3×H×W in [−1, 1], sides of at least 24 → B×(H/8 − 2)×(W/8 − 2) logits."""
        return self.convolutions(torch.cat([grey, colour], dim=1)).squeeze(1)  # type: ignore[no-any-return]


def discriminator(kind: str, width: int) -> nn.Module:
    """The discriminator called `kind`: `image` or `patch`.

    Raises:
        ModelError: The kind is neither.
    """
    if kind == "image":
        return Discriminator(width)
    if kind == "patch":
        return PatchDiscriminator(width)
    raise ModelError(f"Unknown discriminator {kind!r}; choose {' or '.join(DISCRIMINATORS)}.")
