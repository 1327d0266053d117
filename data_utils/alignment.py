"""How well two thumbnails agree once one is laid over the other: the pixel check of near-duplicates."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

LEVELS = (4, 2, 1)  # thumbnails are shrunk by these factors, coarse to fine
STEPS = 2  # Gauss-Newton steps per level
MAX_SCALE = 0.15  # relative change of size that alignment may find, per axis
MAX_SHIFT = 6.0  # pixels of the thumbnail
BORDER = 1 / 16  # of the side, left out at each edge: cropping changes it
# At 16×16 a crop of 6 % per axis keeps this share of the variance in 99 of 100 photographs (0.80 measured).
COARSE_FIT = 0.7
CLIPPED = 250  # grey levels; above, brightening and white paper leave nothing to compare
DETAIL = (1.0, 3.0)  # pixels: the band between two Gaussians that is compared
LEAST_DETAIL = 1.0  # grey levels (RMS); pictures without detail agree with everything
LEAST_SHARE = 0.05  # of the pixels must be unclipped in both


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation of the details of two thumbnails after the best alignment.

    The second is scaled and shifted per axis, and its brightness and contrast fitted, by Gauss-Newton steps
    from coarse to fine. What is compared is a band of fine detail where neither picture is clipped, so that
    brightening does not matter and a common white background counts for nothing.

    Args:
        first: P×S×S uint8, S divisible by 4.
        second: P×S×S uint8.

    Returns:
        P float32 in [−1, 1]; 0 for pairs that already disagree coarsely or have nothing to compare.
    """
    result = np.zeros(len(first), np.float32)
    a, b = first.astype(np.float32), second.astype(np.float32)
    warp = np.zeros((len(a), 4), np.float32)  # scale and shift of the rows, scale and shift of the columns
    alive = np.arange(len(a))
    for level in LEVELS:
        small_a, small_b = _shrink(a, level), _shrink(b, level)
        for _ in range(STEPS):
            warp, fit = _step(small_a, small_b, warp, MAX_SHIFT / level)
        if level == LEVELS[0]:
            kept = fit >= COARSE_FIT
            a, b, warp, alive = a[kept], b[kept], warp[kept], alive[kept]
            if not len(alive):
                return result
        if level > 1:
            warp = warp * np.array([1, 2, 1, 2], np.float32)
    result[alive] = _detail_correlation(a, _warped(b, warp))
    return result


def _shrink(images: np.ndarray, factor: int) -> np.ndarray:
    count, side = len(images), images.shape[1] // factor
    return images.reshape(count, side, factor, side, factor).mean((2, 4))


def _interpolation(scale: np.ndarray, shift: np.ndarray, side: int) -> np.ndarray:
    """P×S×S: row i reads, linearly, at (1 + scale)·(i − centre) + shift + centre."""
    centre = (side - 1) / 2
    reads = (1 + scale)[:, None] * (np.arange(side) - centre) + shift[:, None] + centre
    weights = 1 - np.abs(np.clip(reads, 0, side - 1)[:, :, None] - np.arange(side))
    return np.maximum(weights, 0).astype(np.float32)


def _warped(images: np.ndarray, warp: np.ndarray) -> np.ndarray:
    side = images.shape[1]
    rows, columns = (_interpolation(warp[:, k], warp[:, k + 1], side) for k in (0, 2))
    return rows @ images @ columns.transpose(0, 2, 1)


def _inner(images: np.ndarray) -> np.ndarray:
    """The pixels inside the border, P×K."""
    edge = max(1, round(images.shape[1] * BORDER))
    return images[:, edge:-edge, edge:-edge].reshape(len(images), -1)


def _step(a: np.ndarray, b: np.ndarray, warp: np.ndarray, max_shift: float) -> tuple[np.ndarray, np.ndarray]:
    """One Gauss-Newton step towards the warp, contrast and brightness that bring b to a.

    Returns:
        The new warp, P×4, and the share of a's variance that the linear model explains, P.
    """
    moved = _warped(b, warp)
    down, right = np.gradient(moved, axis=(1, 2))
    along = (np.arange(a.shape[1]) - (a.shape[1] - 1) / 2).astype(np.float32)
    columns = (moved, np.ones_like(moved), down * along[:, None], down, right * along, right)
    model = np.stack([_inner(column) for column in columns], axis=2)
    wanted = _inner(a)[..., None]
    transposed = model.transpose(0, 2, 1)
    solution = np.linalg.solve(transposed @ model + 1e-2 * np.eye(6, dtype=np.float32), transposed @ wanted)
    left = (wanted - model @ solution).var(axis=(1, 2))
    fit = 1 - left / np.maximum(wanted.var(axis=(1, 2)), 1e-6)
    contrast = np.maximum(solution[:, :1, 0], 0.2)
    new = warp + solution[:, 2:, 0] / contrast
    bound = np.array([MAX_SCALE, max_shift, MAX_SCALE, max_shift], np.float32)
    return np.clip(new, -bound, bound), fit


def _detail_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Normalised correlation of the detail bands, over pixels that are clipped in neither."""
    shown = ((a < CLIPPED) & (b < CLIPPED)).astype(np.float32)
    weights = _inner(shown)
    total = np.maximum(weights.sum(1), 1e-6)
    bands = []
    for image in (a, b):
        fine, coarse = (_blurred(image * shown, s) / np.maximum(_blurred(shown, s), 0.02) for s in DETAIL)
        band = _inner(fine - coarse)
        bands.append((band - ((band * weights).sum(1) / total)[:, None]) * weights)
    x, y = bands
    powers = (x * x).sum(1), (y * y).sum(1)
    correlation = (x * y).sum(1) / np.sqrt(np.maximum(powers[0] * powers[1], 1e-12))
    comparable = (weights.mean(1) >= LEAST_SHARE) & (np.minimum(*powers) / total >= LEAST_DETAIL**2)
    return np.where(comparable, correlation, 0)


def _blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(images, (0, sigma, sigma), truncate=3)
