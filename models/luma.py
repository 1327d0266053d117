"""Colour on a given luma: networks choose the chroma, the grey image stays as it is.

Grey images are BT.601 luma of gamma-encoded RGB, Y = 0.299 R + 0.587 G + 0.114 B. The chroma of a colour is what
is left without it, (R − Y, G − Y, B − Y), whose own luma is 0. Grey plus any chroma therefore has the luma of the
grey, to float32's rounding, and so has grey plus a chroma that was scaled to fit into the gamut.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.metrics.colour import LUMA, luma


def chroma(colour: Tensor) -> Tensor:
    """B×3×H×W RGB → B×3×H×W of luma 0, in the same unit."""
    return colour - luma(colour)[:, None]


def opponents(colour: Tensor) -> Tensor:
    """B×3×H×W RGB in [−1, 1] → B×2×H×W: B − Y in ±1.772 and R − Y in ±1.402."""
    return (colour - luma(colour)[:, None])[:, [2, 0]]


def chroma_of_opponents(pair: Tensor) -> Tensor:
    """B×2×H×W (B − Y, R − Y) → B×3×H×W of luma 0."""
    blue, red = pair.unbind(1)
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
    return torch.stack([red, green, blue], dim=1)


def into_gamut(grey: Tensor, chroma: Tensor) -> Tensor:
    """Grey plus as much of a chroma as a display can show: scaled by the largest factor ≤ 1 that fits.

    Differentiable almost everywhere; outside the gamut there is no gradient along the chroma itself.

    Args:
        grey: B×1×H×W in [−1, 1].
        chroma: B×3×H×W of luma 0.

    Returns:
        B×3×H×W RGB in [−1, 1] with the luma of `grey`.
    """
    room = torch.where(chroma > 0, 1 - grey, 1 + grey)  # B×3×H×W, distance to the gamut's face
    factor = (room / chroma.abs().clamp(min=1e-6)).amin(dim=1, keepdim=True).clamp(max=1)
    return (grey + factor * chroma).clamp(-1, 1)  # of rounding, below 1e-6


class LumaKept(nn.Module):
    """A network from grey to RGB of which only the chroma is used.

    In training the colours are not brought into the gamut: where one lies outside, its gradient would vanish.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor, *features: Any) -> Tensor:
        """B×1×H×W in [−1, 1] and what else the network needs → B×3×H×W with the luma of `grey`."""
        wanted = chroma(self.network(grey, *features).float())
        return grey + wanted if self.training else into_gamut(grey, wanted)


def on_target(network: nn.Module, target: str) -> nn.Module:
    """The network itself for the target `rgb`, the chroma of it on the given luma for `luma_kept`.

    Raises:
        ModelError: The target is neither.
    """
    if target == "rgb":
        return network
    if target == "luma_kept":
        return LumaKept(network)
    raise ModelError(f"Unknown target {target!r}; choose rgb or luma_kept.")
