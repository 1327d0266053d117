"""Why looks spend their error as they do and pairs are corrected as they are: the alternatives, on replicates alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from benchmarks.measure import Options, Result
from study.statistics.looks import spent
from study.statistics.sequential_t import nominal_levels

LOOKS = tuple(range(3, 11))
ALPHA = 0.05
CORRECTIONS = {"Bonferroni": (3, 3, 3), "Holm": (3, 2, 1), "Shaffer": (3, 1, 1)}
"""By what the smallest, middle and largest p-value of three pairs are multiplied."""
DIFFERENCES = (0.0, 1.0, 1.5, 2.0)

Array = NDArray[np.float64]


def pocock(replicates: int, most_replicates: int, alpha: float) -> float:
    """S. J. Pocock's shape of spending, as given by Lan and DeMets."""
    return float(alpha * np.log(1 + (np.e - 1) * replicates / most_replicates))


SHAPES: dict[str, Callable[[int, int, float], float]] = {"O'Brien–Fleming": spent, "Pocock": pocock}


def run(options: Options) -> Result:
    """Two architectures with each shape of spending, then three with each correction."""
    studies = 5_000 if options.quick else 50_000
    random = np.random.default_rng(0)
    result = Result()
    for difference in DIFFERENCES:
        p_values, signs = _three(random, studies, difference)
        for shape, spend in SHAPES.items():
            significant = p_values[:1] <= _levels(spend, ALPHA)[:, None]
            result.rows.append(_row(2, shape, "–", difference, significant, signs[:1]))
        for correction, factors in CORRECTIONS.items():
            significant = _corrected(p_values, factors)
            result.rows.append(_row(3, "O'Brien–Fleming", correction, difference, significant, signs))
    result.notes.append(
        f"{studies} studies a row with looks after each of 3 to 10 replicates; the first architecture is better by so "
        "many standard deviations of the difference within a replicate. Right: found better than all others, which are "
        "equal. Wrong: anything else was claimed. Replicates: mean until right, 10 where it is not."
    )
    return result


def _three(random: np.random.Generator, studies: int, difference: float) -> tuple[Array, Array]:
    """p-values and signs of mean differences: pairs × looks × studies."""
    scores = random.standard_normal((3, LOOKS[-1], studies)) / np.sqrt(2)
    scores[0] -= difference
    pairs = [_t_tests(scores[a] - scores[b]) for a, b in combinations(range(3), 2)]
    return np.stack([p for p, _ in pairs]), np.stack([sign for _, sign in pairs])


def _t_tests(values: Array) -> tuple[Array, Array]:
    counts = np.array(LOOKS)[:, None]
    means = np.stack([values[:count].mean(axis=0) for count in LOOKS])
    errors = np.stack([values[:count].std(axis=0, ddof=1) for count in LOOKS]) / np.sqrt(counts)
    return 2 * stdtr(counts - 1, -np.abs(means) / errors), np.sign(means)


def _levels(spend: Callable[[int, int, float], float], alpha: float) -> Array:
    until = np.array([[spend(look, LOOKS[-1], alpha)] for look in LOOKS])
    return nominal_levels(LOOKS, np.diff(until, axis=0, prepend=0.0))[:, 0]


def _corrected(p_values: Array, factors: tuple[int, int, int]) -> Array:
    """Whether each pair is told apart at each look: pairs × looks × studies; what was told apart stays so."""
    crossed = {
        factor: np.logical_or.accumulate(p_values <= _levels(spent, ALPHA / factor)[:, None], axis=1)
        for factor in set(factors)
    }
    found = crossed[factors[0]]
    for already, factor in enumerate(factors[1:], start=1):
        found = found | (crossed[factor] & (found.sum(axis=0) >= already))
    return found


def _row(
    architectures: int, shape: str, correction: str, difference: float, significant: Array, signs: Array
) -> dict[str, object]:
    of_first = slice(0, architectures - 1)
    better = (significant & (signs < 0))[of_first].all(axis=0)  # looks × studies
    wrong = (significant & (signs > 0))[of_first].any(axis=(0, 1)) | significant[architectures - 1 :].any(
        axis=(0, 1)
    )
    if difference == 0:
        wrong, better = significant.any(axis=(0, 1)), np.zeros_like(better)
    right = better.any(axis=0)
    after = np.where(right, np.array(LOOKS)[better.argmax(axis=0)], LOOKS[-1])
    return {
        "architectures": architectures,
        "spending": shape,
        "correction": correction,
        "difference": difference,
        "wrong": float(wrong.mean()),
        "right": float(right.mean()),
        "replicates": float(after.mean()),
    }
