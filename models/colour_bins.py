"""Chroma as one of some hundred bins (Zhang, Isola & Efros 2016, arXiv 1603.08511): a grid of 10 on the a*b* plane.

The bins are the cells of the grid that hold colours of sRGB with 65 levels per channel: 261. The paper's list has 313.
"""

from functools import cache

import torch
from torch import Tensor

from models.metrics.colour import rgb_to_lab

STEP = 10  # side of a cell in a* and b*
NEIGHBOURS, SIGMA = 5, 5.0  # a colour is shared among its nearest bins, by a Gaussian of their distance
_REACH = 128  # |a*| and |b*| of sRGB are below it
_LEVELS = 65  # of each channel on a face of the cube


def _gamut_centres() -> Tensor:
    """Every a*b* of the gamut is also that of a colour on a face of the RGB cube, so the faces suffice."""
    level = torch.linspace(0, 1, _LEVELS)
    sides = torch.cartesian_prod(level, level)  # colours×2
    faces = [
        torch.cat([sides[:, :channel], torch.full((len(sides), 1), end), sides[:, channel:]], dim=1)
        for channel in range(3)
        for end in (0.0, 1.0)
    ]
    rgb = torch.cat(faces).T[None, :, :, None]  # 1×3×colours×1
    cells = (rgb_to_lab(rgb)[0, 1:, :, 0].T / STEP).round()  # colours×2
    return torch.unique(cells, dim=0) * STEP


CENTRES = _gamut_centres()
"""Q×2 float32: a* and b* of the bins' centres, sorted."""

BINS = len(CENTRES)


def encode(ab: Tensor) -> tuple[Tensor, Tensor]:
    """Share a colour among its nearest bins.

    Args:
        ab: B×2×H×W a* and b*, rounded to whole units.

    Returns:
        B×5×H×W: numbers of the five nearest bins (int64), the nearest first, and their shares (sum 1).
    """
    a, b = ab.round().long().clamp(-_REACH, _REACH - 1).add_(_REACH).unbind(1)  # B×H×W each
    bins, shares = _table(ab.device)
    cell = a * 2 * _REACH + b
    return bins[cell].movedim(-1, 1), shares[cell].movedim(-1, 1)


@cache
def _table(device: torch.device) -> tuple[Tensor, Tensor]:
    """Bins and shares of every whole a* and b*; 65 536×5 each."""
    unit = torch.arange(-_REACH, _REACH, dtype=torch.float32)
    colours = torch.cartesian_prod(unit, unit)  # 65 536×2
    distances, bins = torch.cdist(colours, CENTRES).topk(NEIGHBOURS, largest=False)
    shares = torch.softmax(-distances.square() / (2 * SIGMA**2), dim=1)
    return bins.to(device), shares.to(device)
