"""The U-Net of Ronneberger, Fischer & Brox 2015 (arXiv 1505.04597), for colorization."""

import torch
from torch import Tensor, nn

from models.settings import PAPER_WIDTH, scaled


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """(3×3 convolution, BatchNorm, ReLU) twice; padded, so H×W stays."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),  # BatchNorm would cancel a bias
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Up(nn.Module):
    """2×2 transposed convolution to twice the size, concatenation with the skipped level, double_conv."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.convolve = double_conv(2 * outputs, outputs)

    def forward(self, below: Tensor, skipped: Tensor) -> Tensor:
        """B×2C×h×w from below and B×C×2h×2w skipped → B×C×2h×2w."""
        return self.convolve(torch.cat([skipped, self.enlarge(below)], dim=1))  # type: ignore[no-any-return]


class UNet(nn.Module):
    """Grey image → RGB image, both in [−1, 1]. 31.0 M parameters at width 64.

    Args:
        width: Channels of the top level (64 in the paper); each level below has twice as many.
    """

    stride = 16  # four halvings

    def __init__(self, width: int = PAPER_WIDTH) -> None:
        super().__init__()
        c1, c2, c3, c4, c5 = (scaled(channels, width) for channels in (64, 128, 256, 512, 1024))
        self.level1 = double_conv(1, c1)
        self.level2 = double_conv(c1, c2)
        self.level3 = double_conv(c2, c3)
        self.level4 = double_conv(c3, c4)
        self.bottom = double_conv(c4, c5)
        self.up4 = Up(c5, c4)
        self.up3 = Up(c4, c3)
        self.up2 = Up(c3, c2)
        self.up1 = Up(c2, c1)
        self.to_rgb = nn.Conv2d(c1, 3, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, grey: Tensor) -> Tensor:
        """B×1×H×W → B×3×H×W, both in [−1, 1]; H and W multiples of 16. Shapes below at width 64."""
        x1 = self.level1(grey)  # B×64×H×W
        x2 = self.level2(self.pool(x1))  # B×128×H/2×W/2
        x3 = self.level3(self.pool(x2))  # B×256×H/4×W/4
        x4 = self.level4(self.pool(x3))  # B×512×H/8×W/8
        x = self.bottom(self.pool(x4))  # B×1024×H/16×W/16
        x = self.up4(x, x4)  # B×512×H/8×W/8
        x = self.up3(x, x3)  # B×256×H/4×W/4
        x = self.up2(x, x2)  # B×128×H/2×W/2
        x = self.up1(x, x1)  # B×64×H×W
        return torch.tanh(self.to_rgb(x))  # B×3×H×W
