"""Metrics of single images, in batches on any device."""

import math

import torch
from torch import Tensor

from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import luma, rgb_to_lab, to_unit
from models.metrics.table import ADDED

WHITE_LEVEL = 0.98
"""A pixel counts as white when all its channels (in [0, 1]) reach this."""

OBJECT_LEVEL = 0.9
"""A pixel belongs to the object when a channel of the truth is below this; JPEG halos on white are not."""

HUE_BINS = 36
CHROMA_FLOOR = 1.0
"""Chroma below this is invisible, and its hue is rounding noise."""


@torch.inference_mode()
def image_quantities(prediction: Tensor, truth: Tensor, quick: bool = False) -> dict[str, Tensor]:
    """Measure predictions against the truth, image by image.

    Args:
        prediction: B×3×H×W RGB in [-1, 1]; clipped to it.
        truth: B×3×H×W RGB in [-1, 1].
        quick: Only what a validation after each epoch needs: `ciede2000`, `psnr`, `ssim`, and
            `colourfulness`, `sharpness`, `white_fraction`, each also as `…_true`.

    Returns:
        Name to float32 tensor of shape (B): the above and `saturation`, `hue_entropy` (each also as
        `…_true`), `a_star_error` and every metric added with `register_metric`. Two entries are B×36:
        `hue_histogram` and `hue_histogram_true`, from which the entropy over a whole set is pooled.
        A NaN in a prediction makes its differences NaN.
    """
    # torchmetrics brings torchvision along, seconds of import: who measures pays, not who prints a table.
    from models.metrics.standard import psnr, ssim

    rgb, rgb_true = to_unit(prediction), to_unit(truth)
    lab, lab_true = rgb_to_lab(rgb), rgb_to_lab(rgb_true)
    quantities = {
        "ciede2000": delta_e_2000(lab, lab_true).mean(dim=(1, 2)),
        "psnr": psnr(rgb, rgb_true),
        "ssim": ssim(rgb, rgb_true),
    }
    for suffix, image in (("", rgb), ("_true", rgb_true)):
        quantities["colourfulness" + suffix] = colourfulness(image)
        quantities["sharpness" + suffix] = sharpness(image)
        quantities["white_fraction" + suffix] = white_fraction(image)
    if quick:
        return quantities

    for suffix, image in (("", lab), ("_true", lab_true)):
        histogram = hue_histogram(image)
        quantities["saturation" + suffix] = torch.hypot(image[:, 1], image[:, 2]).mean(dim=(1, 2))
        quantities["hue_histogram" + suffix] = histogram
        quantities["hue_entropy" + suffix] = entropy(histogram)
    quantities["a_star_error"] = a_star_error(lab, lab_true, rgb_true)
    for name, function in ADDED.items():
        quantities[name] = function(rgb * 2 - 1, rgb_true * 2 - 1)
    return quantities


def colourfulness(rgb: Tensor) -> Tensor:
    """Colourfulness M3 of Hasler and Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003.

    Args:
        rgb: B×3×H×W in [0, 1].

    Returns:
        (B), on the paper's scale of 0 to 255 per channel: 0 grey, 15 slightly, 59 highly colourful.
    """
    red, green, blue = rgb.unbind(1)
    red_green, yellow_blue = red - green, (red + green) * 0.5 - blue
    deviations, means = zip(
        *(torch.std_mean(x, dim=(1, 2), correction=0) for x in (red_green, yellow_blue)), strict=True
    )
    spread, offset = torch.hypot(*deviations), torch.hypot(*means)
    return 255 * (spread + 0.3 * offset)


def sharpness(rgb: Tensor) -> Tensor:
    """Variance of the 4-neighbour Laplacian of luma over inner pixels: B×3×H×W in [0, 1] to (B)."""
    y = luma(rgb)
    laplacian: Tensor = (
        y[:, :-2, 1:-1] + y[:, 2:, 1:-1] + y[:, 1:-1, :-2] + y[:, 1:-1, 2:] - 4 * y[:, 1:-1, 1:-1]
    )
    return laplacian.var(dim=(1, 2), correction=0)


def white_fraction(rgb: Tensor) -> Tensor:
    """Share of pixels whose channels are all at least `WHITE_LEVEL`: B×3×H×W in [0, 1] to (B)."""
    return (rgb.amin(dim=1) >= WHITE_LEVEL).float().mean(dim=(1, 2))


def a_star_error(lab: Tensor, lab_true: Tensor, rgb_true: Tensor) -> Tensor:
    """Signed mean error of a* on object pixels: above 0 too red, below 0 too green.

    Object pixels are those whose truth has a channel below `OBJECT_LEVEL`.

    Returns:
        (B); 0 for an image without object pixels, where nothing can have the wrong colour.
    """
    is_object = (rgb_true.amin(dim=1) < OBJECT_LEVEL).float()
    error = ((lab[:, 1] - lab_true[:, 1]) * is_object).sum(dim=(1, 2))
    return error / is_object.sum(dim=(1, 2)).clamp_(min=1)


def hue_histogram(lab: Tensor, bins: int = HUE_BINS) -> Tensor:
    """How much chroma an image has of each hue.

    Args:
        lab: B×3×H×W.
        bins: Equal sectors of the a*b* plane, the first one starting at red (a* > 0, b* = 0).

    Returns:
        B×bins: chroma C* per bin, divided by the number of pixels. Below `CHROMA_FLOOR` it counts as none.
    """
    a, b = lab[:, 1].flatten(1), lab[:, 2].flatten(1)  # B×HW
    chroma = torch.hypot(a, b)
    chroma = chroma.where(chroma >= CHROMA_FLOOR, 0)
    sector = torch.atan2(b, a).div_(2 * torch.pi).remainder_(1).mul_(bins)
    histogram = torch.zeros(len(lab), bins, device=lab.device, dtype=lab.dtype)
    histogram.scatter_add_(1, sector.long().clamp_(0, bins - 1), chroma)
    return histogram / chroma.shape[1]


def entropy(histogram: Tensor) -> Tensor:
    """Shannon entropy in bits: …×bins of non-negative weights to …; an empty histogram has none."""
    share = histogram / histogram.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(histogram.dtype).tiny)
    bits: Tensor = -torch.special.xlogy(share, share).sum(dim=-1) / math.log(2)
    return bits
