"""Deep Koalarization after Baldassarre, González Morín & Rodés-Guirao 2017 (arXiv 1712.03400).

RGB instead of a*b*, and VGG16 instead of Inception-ResNet-v2 as the frozen second encoder, whose vectors
arrive ready-made (see `models.vgg`).
"""

import torch
from torch import Tensor, nn

from models.settings import PAPER_WIDTH, scaled

VECTOR_LENGTH = 512  # channels of VGG16's conv5, whatever the width


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3×3 convolution, padding 1, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.ReLU(inplace=True))


def _he_initialise(module: nn.Module) -> None:
    """He et al. 2015: without BatchNorm, torch's default lets grey fade away and narrow layers start dead."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Koalarization(nn.Module):
    """Grey image and its VGG16 vector → RGB image.

    Args:
        width: Channels of the first layer (64 in the paper); all others scale with it.
    """

    stride = 8  # three halvings

    def __init__(self, width: int = PAPER_WIDTH) -> None:
        super().__init__()
        c32, c64, c128, c256, c512 = (scaled(channels, width) for channels in (32, 64, 128, 256, 512))
        self.encoder = nn.Sequential(
            conv(1, c64, stride=2),  # H/2
            conv(c64, c128),
            conv(c128, c128, stride=2),  # H/4
            conv(c128, c256),
            conv(c256, c256, stride=2),  # H/8
            conv(c256, c512),
            conv(c512, c512),
            conv(c512, c256),
        )
        self.fusion = nn.Sequential(nn.Conv2d(c256 + VECTOR_LENGTH, c256, 1), nn.ReLU(inplace=True))
        self.decoder = nn.Sequential(
            conv(c256, c128),
            nn.Upsample(scale_factor=2),  # H/4
            conv(c128, c64),
            conv(c64, c64),
            nn.Upsample(scale_factor=2),  # H/2
            conv(c64, c32),
            nn.Conv2d(c32, 3, 3, padding=1),
            nn.Tanh(),
            nn.Upsample(scale_factor=2),  # H
        )
        self.apply(_he_initialise)

    def forward(self, grey: Tensor, vector: Tensor) -> Tensor:
        """B×1×H×W in [−1, 1] and B×512 → B×3×H×W in [−1, 1]; H and W multiples of 8."""
        features = self.encoder(grey)  # B×256×H/8×W/8
        height, width = features.shape[-2:]
        tiled = vector[:, :, None, None].expand(-1, -1, height, width)  # B×512×H/8×W/8
        fused = self.fusion(torch.cat([features, tiled], dim=1))  # B×256×H/8×W/8
        return self.decoder(fused)  # type: ignore[no-any-return]  # B×3×H×W
