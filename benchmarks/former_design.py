"""The comparison before there were replicates: seeds of both sides independent, images shared (B. L. Welch, 1947)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.statistics.interval import Part, half_width, two_sided_p

Array = NDArray[np.float64]


def unpaired(a: Array, b: Array) -> tuple[float, float, float]:
    """Half the width of the 95 % interval, the difference and its p-value, from seeds × images of both sides."""
    difference = float(a.mean() - b.mean())
    of_images = a.mean(axis=0) - b.mean(axis=0)
    images = Part(float(np.var(of_images, ddof=1)) / len(of_images), len(of_images) - 1)
    variances = [_seed_variance(side) for side in (a, b)]
    freedoms = [len(side) - 1 for side in (a, b)]
    total = max(0.0, sum(variances))
    spread = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    freedom = min(max(total**2 / spread if spread else np.inf, min(freedoms)), sum(freedoms))
    parts = [images, Part(total, freedom)]
    return half_width(parts, 0.95), difference, two_sided_p(difference, parts)


def _seed_variance(scores: Array) -> float:
    seeds, images = scores.shape
    means = scores.mean(axis=1)
    rest = scores - means[:, None] - scores.mean(axis=0) + scores.mean()
    rest_variance = float((rest**2).sum()) / ((seeds - 1) * (images - 1))
    return float(np.var(means, ddof=1) / seeds - rest_variance / (seeds * images))
