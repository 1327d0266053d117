"""The conditional GAN's discriminator (after Isola et al. 2017, arXiv 1611.07004; one answer per image)."""

import torch
from torch import Tensor, nn

from models.settings import PAPER_WIDTH, scaled


def halve(inputs: int, outputs: int) -> nn.Sequential:
    """4×4 convolution with stride 2, BatchNorm, LeakyReLU 0.2: half the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False),  # BatchNorm would cancel a bias
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
            halve(c64, c128),  # H/4
            halve(c128, c256),  # H/8
            halve(c256, c512),  # H/16
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
