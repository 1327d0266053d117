"""What the study reports: one row per metric, and the way to add one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

from models.registry import Table

Better = Literal["lower", "higher", "one", "truth", "zero"]


class Metric(NamedTuple):
    """How a metric is named, read and printed.

    Attributes:
        name: Key in what `summarise` returns.
        better: "lower", "higher", or the value to be near: "one", "zero", or the "truth" beside it.
        unit: Printed behind the value; empty for a pure number.
        decimals: How many to print.
        definition: One line.
        possible: Lowest and highest value there can be; no interval reaches beyond.
    """

    name: str
    better: Better
    unit: str
    decimals: int
    definition: str
    possible: tuple[float, float] = (-math.inf, math.inf)


OBJECTIVE = "ciede2000"
_POSITIVE = (0.0, math.inf)

_BUILT_IN = (
    Metric(
        "ciede2000", "lower", "", 2, "mean CIEDE2000 colour difference over pixels (sRGB, D65)", _POSITIVE
    ),
    Metric("psnr", "higher", "dB", 2, "peak signal-to-noise ratio on RGB in [0, 1]"),
    Metric(
        "ssim",
        "higher",
        "",
        3,
        "structural similarity on RGB, Gaussian window 11×11, σ 1.5, no padding",
        (-1.0, 1.0),
    ),
    Metric(
        "colourfulness_ratio", "one", "", 2, "Hasler–Süsstrunk colourfulness, predicted / true", _POSITIVE
    ),
    Metric("saturation_ratio", "one", "", 2, "mean chroma C*, predicted / true", _POSITIVE),
    Metric("sharpness_ratio", "one", "", 2, "variance of the Laplacian of luma, predicted / true", _POSITIVE),
    Metric(
        "detail",
        "one",
        "",
        2,
        "agreement of luma less its mean over 5×5 pixels with the truth's",
        (-1.0, 1.0),
    ),
    Metric(
        "pooled_hue_entropy_ratio",
        "one",
        "",
        2,
        "entropy of the hues of all images together, weighted by chroma, predicted / true",
        _POSITIVE,
    ),
    Metric(
        "white_distance_ratio",
        "one",
        "",
        2,
        "distance to white in Lab where the truth shows an object, predicted / true; 0 is all white",
        _POSITIVE,
    ),
    Metric("white_fraction", "truth", "", 3, "share of pixels with all channels at least 0.98", (0.0, 1.0)),
    Metric("a_star_error", "zero", "", 2, "signed mean a* error on object pixels; above 0 is too red"),
)

METRICS = Table("metric", _BUILT_IN)

ADDED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}


def register_metric(
    name: str,
    function: Callable[[Tensor, Tensor], Tensor],
    better: Better,
    *,
    unit: str = "",
    decimals: int = 3,
    definition: str = "",
    possible: tuple[float, float] = (-math.inf, math.inf),
) -> None:
    """Add an image metric to every full evaluation and to `METRICS`.

    Args:
        name: A new name.
        function: Takes prediction and truth (B×3×H×W in [-1, 1], clipped), returns one value per image (B).
        better: See `Metric`.
        unit: See `Metric`.
        decimals: See `Metric`.
        definition: See `Metric`.
        possible: See `Metric`.

    Raises:
        ModelError: The name is taken.
    """
    METRICS.register(Metric(name, better, unit, decimals, definition, possible))
    ADDED[name] = function
