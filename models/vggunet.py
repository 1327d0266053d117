"""A U-Net whose encoder already knows objects: frozen layers of VGG16, a trained decoder, chroma on the given luma.

The decoder stops at half the image's size, as JPEG and video do: the eye, and ΔE₀₀, take the detail from the luma.
VGG16's maps arrive ready-made (see `models.vgg.VGG16Maps`), so neither weights files nor checkpoints contain it.
"""

from torch import Tensor, nn

from models.colour_heads import BinsHead, ChromaHead
from models.errors import ModelError
from models.settings import PAPER_WIDTH, scaled
from models.unet import Up

MAP_CHANNELS = (128, 256, 512, 512)  # of VGG16's conv2 to conv5, whatever the width
LOSSES = ("l1", "mse", "bins", "balanced_bins")


class Lateral(nn.Sequential):
    """1×1 convolution of one of VGG16's maps to as many channels as the decoder has at that level, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 1), nn.ReLU(inplace=True))


class VGGUNet(nn.Module):
    """Grey image and VGG16's maps of it → RGB image with the luma of the grey. 300 thousand parameters at width 8.

    Args:
        width: As the U-Net's: level n of the decoder has width · 2^(n−1) channels.
        loss: `l1` or `mse` on the chroma, `bins` or `balanced_bins`; see `models.colour_heads`.

    Raises:
        ModelError: The loss is none of these.
    """

    stride = 16  # four halvings

    def __init__(self, width: int = PAPER_WIDTH, loss: str = "l1") -> None:
        super().__init__()
        c2, c3, c4, c5 = (scaled(channels, width) for channels in (128, 256, 512, 1024))
        v2, v3, v4, v5 = MAP_CHANNELS
        self.lateral2 = Lateral(v2, c2)
        self.lateral3 = Lateral(v3, c3)
        self.lateral4 = Lateral(v4, c4)
        self.lateral5 = Lateral(v5, c5)
        self.up4 = Up(c5, c4)
        self.up3 = Up(c4, c3)
        self.up2 = Up(c3, c2)
        self.head = _head(loss, c2)

    def forward(self, grey: Tensor, maps: tuple[Tensor, ...]) -> Tensor:
        """Colours, and in training what `loss` is computed of. Shapes below at width 64.

        Args:
            grey: B×1×H×W in [−1, 1]; H and W multiples of 16.
            maps: B×128×H/2×W/2, B×256×H/4×W/4, B×512×H/8×W/8 and B×512×H/16×W/16.

        Returns:
            B×3×H×W RGB in [−1, 1]; in training the head's B×C×H/2×W/2.
        """
        conv2, conv3, conv4, conv5 = maps
        x = self.lateral5(conv5)  # B×1024×H/16×W/16
        x = self.up4(x, self.lateral4(conv4))  # B×512×H/8×W/8
        x = self.up3(x, self.lateral3(conv3))  # B×256×H/4×W/4
        x = self.up2(x, self.lateral2(conv2))  # B×128×H/2×W/2
        answer = self.head(x).float()  # B×C×H/2×W/2
        return answer if self.training else self.head.colour(grey, answer)

    def loss(self, answer: Tensor, colour: Tensor) -> Tensor:
        """Loss of what `forward` gives in training against B×3×H×W true RGB → scalar."""
        return self.head.loss(answer, colour)


def _head(loss: str, channels: int) -> ChromaHead | BinsHead:
    if loss in ("l1", "mse"):
        return ChromaHead(channels, loss)
    if loss in ("bins", "balanced_bins"):
        return BinsHead(channels, balanced=loss == "balanced_bins")
    raise ModelError(f"Unknown loss {loss!r}; choose {', '.join(LOSSES)}.")
