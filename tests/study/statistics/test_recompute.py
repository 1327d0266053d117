"""Anyone can recompute an interval and a p-value from exported rows, with numpy and nothing of this project."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from study.statistics import compare, mean_interval, verdicts

Rows = list[tuple[int, int, str, float]]


def exported() -> Rows:
    """One row per image, replicate and architecture."""
    random = np.random.default_rng(3)
    image = random.gamma(2, 4, size=12)
    return [
        (number, replicate, architecture, float(value))
        for architecture, mean in (("unet", 0.0), ("cgan", 1.0))
        for replicate in range(4)
        for number, value in enumerate(mean + image + random.normal() + random.normal(size=12))
    ]


def table(rows: Rows, architecture: str) -> NDArray[np.float64]:
    """Replicates × images."""
    found = np.full((4, 12), np.nan)
    for image, replicate, name, value in rows:
        if name == architecture:
            found[replicate, image] = value
    return found


def student(t: float, freedom: int) -> float:
    """P(|T| > t) by the finite series for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    term, total = (math.cos(angle), math.cos(angle)) if freedom % 2 else (1.0, 1.0)
    for step in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (step - 1) / step
        total += term
    if freedom % 2:
        inside = 2 / math.pi * (angle + math.sin(angle) * (total if freedom > 1 else 0.0))
    else:
        inside = math.sin(angle) * total
    return 1 - inside


def bisected(wanted: float, falling, low: float, high: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
    return low


def recomputed(scores: NDArray[np.float64], error: float = 0.05) -> tuple[float, float, float]:
    """Lower and upper bound of the mean with this error, and the p-value of its being 0."""
    replicates, images = scores.shape
    mean = scores.mean()
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + mean
    of_rest = (rest**2).sum() / ((replicates - 1) * (images - 1))
    from_replicates = scores.mean(axis=1).var(ddof=1) / replicates
    from_images = max(0.0, scores.mean(axis=0).var(ddof=1) - of_rest / replicates) / images
    total = from_replicates + from_images

    def quantile(two_sided: float) -> float:
        of_replicates = bisected(two_sided, lambda t: student(t, replicates - 1), 0, 1e6)
        of_images = bisected(two_sided, lambda t: student(t, images - 1), 0, 1e6)
        return (from_replicates * of_replicates + from_images * of_images) / total

    half = quantile(error) * math.sqrt(total)
    p_value = bisected(abs(mean) / math.sqrt(total), quantile, 1e-12, 1)
    return mean - half, mean + half, p_value


def test_an_interval_of_a_mean() -> None:
    scores = table(exported(), "unet")
    interval = mean_interval(scores)
    assert recomputed(scores)[:2] == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_a_comparison() -> None:
    unet, cgan = table(exported(), "unet"), table(exported(), "cgan")
    compared = compare(unet, cgan)
    expected = (compared.difference.low, compared.difference.high, compared.p_value)
    assert recomputed(unet - cgan) == pytest.approx(expected, rel=1e-9)


def levels(looks: list[int], most: int, alpha: float) -> list[float]:
    """Nominal level of each look: error spent by O'Brien and Fleming's shape, p-values moving as those of t tests."""
    edges = np.linspace(0, 1, 201) ** 4
    mass, spent, found = np.diff(edges), 0.0, []
    for count in range(2, looks[-1] + 1):
        if count in looks:
            until = 2 * NormalDist().cdf(NormalDist().inv_cdf(alpha / 2) / math.sqrt(count / most))
            level = float(np.interp(until - spent, np.concatenate([[0.0], np.cumsum(mass)]), edges))
            mass = mass * np.clip((edges[1:] - level) / np.diff(edges), 0, 1)
            spent = until
            found.append(level)
        mass = moved(edges, mass, count)
    return found


def moved(edges: NDArray[np.float64], mass: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Mass of p-values after one more observation, by numerical integration over that observation."""
    angle = np.arctan(t_of((edges[1:] + edges[:-1]) / 2, count - 1) / math.sqrt(count - 1))
    turn = (
        np.arange(4000) + 0.5
    ) / 4000 * math.pi - math.pi / 2  # tan(turn) = new observation / length of the others
    density = np.cos(turn) ** (count - 1)
    new = (math.sqrt(count) * np.sin(angle)[:, None] + np.tan(turn)) * np.cos(turn) / math.sqrt(count + 1)
    t = math.sqrt(count) * np.abs(new) / np.sqrt(1 - np.minimum(new**2, 1 - 1e-15))
    bounds = t_of(edges[1:], count)[::-1]
    weights = mass[:, None] * density / density.sum()
    return np.bincount(len(mass) - np.searchsorted(bounds, t.ravel()), weights.ravel(), len(mass) + 1)[
        : len(mass)
    ]


def t_of(p_values: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    return np.array([bisected(p, lambda t: student(t, freedom), 0, 1e12) for p in p_values])


def test_a_verdict_after_three_looks() -> None:
    unet, cgan = table(exported(), "unet"), table(exported(), "cgan")
    (found,) = verdicts({"unet": unet, "cgan": cgan}, [2, 3, 4], 6)
    level = levels([2, 3, 4], 6, 0.05)[-1]
    low, high, _ = recomputed(unet - cgan, level)
    assert (low, high) == pytest.approx((found.difference.low, found.difference.high), rel=0.005)
    of_looks = [recomputed(unet[:count] - cgan[:count])[2] for count in (2, 3, 4)]
    at_found = levels([2, 3, 4], 6, found.p_value)
    assert min(np.array(of_looks) / at_found) == pytest.approx(1, rel=0.02)
