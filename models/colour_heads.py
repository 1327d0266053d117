"""What a colour network ends in: chroma itself, or a distribution over bins of chroma. Both keep the luma given."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.collectives import total
from models.colour_bins import BINS, CENTRES, encode
from models.losses import pixel_loss
from models.luma import chroma, chroma_of_opponents, into_gamut, opponents
from models.metrics.colour import lab_to_rgb, lightness_of_grey, rgb_to_lab, to_unit

TEMPERATURE = (
    0.38  # of the annealed mean; Zhang et al. 2016: between the mean (1), which is dull, and the mode (0)
)
UNIFORM = 0.5  # λ of the rebalancing: share of the uniform distribution in the smoothed prior


class ChromaHead(nn.Conv2d):
    """Predicts B − Y and R − Y at half the image's size.

    Args:
        channels: Of the layer before.
        loss: `l1` or `mse`, on both values at the image's own size.
    """

    def __init__(self, channels: int, loss: str) -> None:
        super().__init__(channels, 2, 1)
        self._pixel_loss = pixel_loss(loss)

    def colour(self, grey: Tensor, answer: Tensor) -> Tensor:
        """B×1×H×W in [−1, 1] and B×2×h×w → B×3×H×W in [−1, 1] with the luma of `grey`."""
        return into_gamut(grey, chroma_of_opponents(_enlarged(answer, grey)))

    def loss(self, answer: Tensor, colour: Tensor) -> Tensor:
        """Error of B×2×h×w against the chroma of B×3×H×W true RGB → scalar."""
        return self._pixel_loss(_enlarged(answer, colour), opponents(colour))


class BinsHead(nn.Conv2d):
    """Predicts how probable each bin of a*b* is, at half the image's size (Zhang et al. 2016, arXiv 1603.08511).

    The colour is the annealed mean of the bins. With `balanced`, a pixel counts the more in the loss the rarer its
    colour is: w ∝ 1 / ((1 − λ) p + λ / Q), of mean 1 over the pixels, where p are the shares of the bins in the
    training images. They are counted as training goes on, so they travel with the weights.

    Args:
        channels: Of the layer before.
        balanced: Whether rare colours count more.
    """

    seen: Tensor
    centres: Tensor

    def __init__(self, channels: int, balanced: bool) -> None:
        super().__init__(channels, BINS, 1)
        self.balanced = balanced
        self.register_buffer("seen", torch.zeros(BINS))
        self.register_buffer("centres", CENTRES.clone(), persistent=False)

    def colour(self, grey: Tensor, answer: Tensor) -> Tensor:
        """B×1×H×W in [−1, 1] and B×Q×h×w logits → B×3×H×W in [−1, 1] with the luma of `grey`."""
        ab = _enlarged(self.annealed_mean(answer), grey)  # B×2×H×W
        lightness = lightness_of_grey(to_unit(grey))[:, None]  # B×1×H×W
        rgb = lab_to_rgb(torch.cat([lightness, ab], dim=1)) * 2 - 1
        return into_gamut(grey, chroma(rgb))

    def annealed_mean(self, answer: Tensor) -> Tensor:
        """B×Q×h×w logits → B×2×h×w a*b*."""
        shares = torch.softmax(answer.float() / TEMPERATURE, dim=1)
        with torch.autocast(answer.device.type, enabled=False):
            return functional.conv2d(shares, self.centres.T[:, :, None, None])

    def loss(self, answer: Tensor, colour: Tensor) -> Tensor:
        """Cross-entropy of B×Q×h×w logits with the soft bins of B×3×H×W true RGB → scalar."""
        smaller = functional.adaptive_avg_pool2d(colour, (answer.shape[-2], answer.shape[-1]))
        bins, shares = encode(rgb_to_lab(to_unit(smaller))[:, 1:])  # B×5×h×w each
        logarithms = torch.log_softmax(answer, dim=1).gather(1, bins)
        errors = -(shares * logarithms).sum(dim=1)  # B×h×w
        self._count(bins, shares)
        return (errors * self._weights()[bins[:, 0]]).mean() if self.balanced else errors.mean()

    @torch.no_grad()
    def _count(self, bins: Tensor, shares: Tensor) -> None:
        # On a GPU, bincount would make the host wait for the highest bin.
        self.seen += total(torch.zeros_like(self.seen).index_add_(0, bins.flatten(), shares.flatten()))

    def _weights(self) -> Tensor:
        """Q: 1 on average over the pixels seen."""
        share = self.seen / self.seen.sum()
        weights = 1 / ((1 - UNIFORM) * share + UNIFORM / BINS)
        return weights / (share * weights).sum()


def _enlarged(small: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(small, like.shape[-2:], mode="bilinear", align_corners=False)
