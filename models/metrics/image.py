"""Metrics of single images, in batches on any device."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from models.metrics.ciede2000 import delta_e_2000
from models.metrics.colour import luma, rgb_to_lab, to_unit
from models.metrics.table import ADDED

WHITE_LEVEL = 0.98
"""A pixel counts as white when all its channels (in [0, 1]) reach this."""

OBJECT_LEVEL = 0.9
"""A pixel belongs to the object when a channel of the truth is below this; JPEG halos on white are not."""

HUE_BINS = 36
HUE_BLOCK = 4
"""Hues are those of the mean colour of blocks of so many pixels a side: the eye averages colour noise, too."""
CHROMA_FLOOR = 4.0
"""A block's chroma below this counts as none; colour noise of σ 3/255 reaches 2.6."""

DETAIL_WINDOW = 5
"""Side of the square, in pixels, whose mean is taken from luma to leave its detail."""


@torch.inference_mode()
def image_quantities(prediction: Tensor, truth: Tensor, quick: bool = False) -> dict[str, Tensor]:
    """Measure predictions against the truth, image by image.

    Args:
        prediction: B×3×H×W RGB in [-1, 1]; clipped to it.
        truth: B×3×H×W RGB in [-1, 1].
        quick: Only what a validation after each epoch needs: `ciede2000`, `psnr`, `ssim`, and
            `colourfulness`, `sharpness`, `white_fraction`, each also as `…_true`.

    Returns:
        Name to float32 tensor of shape (B): the above, `detail`, `a_star_error`, and each also as `…_true`
        `saturation`, `white_distance`, `a_star`, `b_star` and `chroma_square` (the mean of a*² + b*²), and every
        metric added with `register_metric`. Two entries are B×36: `hue_histogram` and `hue_histogram_true`, from
        which the entropy over a whole set is pooled.
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
        quantities["saturation" + suffix] = torch.hypot(image[:, 1], image[:, 2]).mean(dim=(1, 2))
        quantities["a_star" + suffix], quantities["b_star" + suffix] = image[:, 1:].mean(dim=(2, 3)).unbind(1)
        quantities["chroma_square" + suffix] = image[:, 1:].square().sum(dim=1).mean(dim=(1, 2))
        quantities["white_distance" + suffix] = white_distance(image, rgb_true)
        quantities["hue_histogram" + suffix] = hue_histogram(image)
    quantities["detail"] = detail(rgb, rgb_true)
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


def white_distance(lab: Tensor, rgb_true: Tensor) -> Tensor:
    """Mean distance to white in Lab, over the pixels where the truth shows an object; elsewhere it counts as 0.

    Args:
        lab: B×3×H×W.
        rgb_true: The truth, B×3×H×W in [0, 1]; its object pixels have a channel below `OBJECT_LEVEL`.

    Returns:
        (B).
    """
    lightness, a, b = lab.unbind(1)
    distance = ((100 - lightness).square() + a.square() + b.square()).sqrt()
    return (distance * _is_object(rgb_true)).mean(dim=(1, 2))


def detail(rgb: Tensor, rgb_true: Tensor) -> Tensor:
    """Agreement of the detail of luma: what is left of it once the mean of the surrounding square is taken away.

    The concordance 2 Σpt / (Σp² + Σt²) of L. I.-K. Lin (Biometrics 45, 1989) with means of 0. Edges in the wrong
    places, as of coarse pixels, and noise do not agree with the truth, though they are sharp.

    Args:
        rgb: B×3×H×W in [0, 1].
        rgb_true: Same shape.

    Returns:
        (B) in [−1, 1]: 1 for the truth's own detail, 0 for none.
    """
    predicted, true = _high_pass(rgb), _high_pass(rgb_true)
    tiny = torch.finfo(rgb.dtype).eps
    both = predicted.square().sum(dim=(1, 2)) + true.square().sum(dim=(1, 2))
    return (2 * (predicted * true).sum(dim=(1, 2)) + tiny) / (both + tiny)


def _high_pass(rgb: Tensor) -> Tensor:
    """Luma less its local mean, where the whole window lies inside: B×3×H×W to B×h×w."""
    y = luma(rgb)[:, None]
    edge = min(DETAIL_WINDOW // 2, (min(y.shape[-2:]) - 1) // 2)
    height, width = y.shape[-2:]
    return (y[..., edge : height - edge, edge : width - edge] - avg_pool2d(y, 2 * edge + 1, stride=1))[:, 0]


def _is_object(rgb_true: Tensor) -> Tensor:
    """1 where a channel of the truth is below `OBJECT_LEVEL`: B×3×H×W to B×H×W."""
    return (rgb_true.amin(dim=1) < OBJECT_LEVEL).float()


def a_star_error(lab: Tensor, lab_true: Tensor, rgb_true: Tensor) -> Tensor:
    """Signed mean error of a* on object pixels: above 0 too red, below 0 too green.

    Object pixels are those whose truth has a channel below `OBJECT_LEVEL`.

    Returns:
        (B); 0 for an image without object pixels, where nothing can have the wrong colour.
    """
    is_object = _is_object(rgb_true)
    error = ((lab[:, 1] - lab_true[:, 1]) * is_object).sum(dim=(1, 2))
    return error / is_object.sum(dim=(1, 2)).clamp_(min=1)


def hue_histogram(lab: Tensor, bins: int = HUE_BINS) -> Tensor:
    """How much chroma an image has of each hue.

    Args:
        lab: B×3×H×W.
        bins: Equal sectors of the a*b* plane, the first one starting at red (a* > 0, b* = 0).

    Returns:
        B×bins: chroma C* of blocks of `HUE_BLOCK` pixels a side per bin, divided by the number of blocks. Below
        `CHROMA_FLOOR` it counts as none.
    """
    blocks = avg_pool2d(lab[:, 1:], min(HUE_BLOCK, *lab.shape[-2:]))
    a, b = blocks[:, 0].flatten(1), blocks[:, 1].flatten(1)  # B×N
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
