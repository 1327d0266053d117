"""The U-Net with VGG16's vector at its bottom: what Koalarization knows of an image, in the shape of a U-Net.

    python -m study.launch demo --name vector --plugins "[examples/vector_unet.py]" \
        --architectures "[unet, vector_unet]"

`features="vector"` is all that it takes to be given the vector of each image, in training as in the finished model.
"""

import torch
from torch import Tensor, nn

from models.architectures import Architecture, Float, register
from models.definition import Parameters
from models.learner import Learner
from models.luma import on_target
from models.regression import RegressionLearner
from models.settings import ModelSettings, scaled
from models.unet import UNet

VECTOR_LENGTH = 512


class VectorUNet(UNet):
    """Grey image and its VGG16 vector → RGB image, both in [−1, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        bottom = scaled(1024, width)
        self.fusion = nn.Sequential(nn.Conv2d(bottom + VECTOR_LENGTH, bottom, 1), nn.ReLU(inplace=True))

    def forward(self, grey: Tensor, vector: Tensor) -> Tensor:  # type: ignore[override]
        """B×1×H×W and B×512 → B×3×H×W; H and W multiples of 16."""
        x1 = self.level1(grey)
        x2 = self.level2(self.pool(x1))
        x3 = self.level3(self.pool(x2))
        x4 = self.level4(self.pool(x3))
        x = self.bottom(self.pool(x4))  # B×1024×H/16×W/16 at width 64
        tiled = vector[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        x = self.fusion(torch.cat([x, tiled], dim=1))
        x = self.up4(x, x4)
        x = self.up3(x, x3)
        x = self.up2(x, x2)
        x = self.up1(x, x1)
        return torch.tanh(self.to_rgb(x))


def build(settings: ModelSettings, parameters: Parameters, device: torch.device) -> Learner:
    """A learner that minimises the recipe's loss."""
    network = on_target(VectorUNet(settings.width), settings.target)
    return RegressionLearner(
        network, float(parameters["learning_rate"]), settings, device, needs_features=True
    )


register(
    Architecture(
        name="vector_unet",
        build=build,
        search_space={"learning_rate": Float(1e-5, 1e-2)},
        textbook={"learning_rate": 1e-3},
        stride=UNet.stride,
        features="vector",
        losses=("loss",),
    )
)
