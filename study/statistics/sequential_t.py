"""Levels for a t test that is repeated as observations come in.

How much error the looks make together depends on how the statistic moves between them. Group-sequential theory
takes normal increments for that; with the few replicates of a study its tests claim 5.7 to 6 % in place of 5 (looks
after each of 3 to 10 replicates). Without an effect the t statistic is a Markov chain of its own (C. Jennison, B. W.
Turnbull: "Exact calculations for sequential t, χ² and F tests", Biometrika 78, 1991). Let φ_k be the angle between
the vector of observations x_1 … x_k and the vectors of mean 0, so that t = √(k-1) tan φ_k. The vector's direction is
independent of its length, so with v = x_{k+1} / √(x_1² + … + x_k²), for which √k v has Student's t distribution with
k degrees of freedom,

    √(k+1) sin φ_{k+1} = (√k sin φ_k + v) / √(1 + v²)

depends on the past through φ_k alone. The chain is kept on a grid of two-sided p-values, on which it starts uniform.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Array = NDArray[np.float64]

_EDGES: Array = np.linspace(0, 1, 201) ** 4  # of the bins; with four times as many no level moves by 0.3 %
_CENTRES = (_EDGES[1:] + _EDGES[:-1]) / 2


def nominal_levels(looks: Sequence[int], errors: Array) -> Array:
    """Two-sided p-values below which a look is significant, so that looks make the errors wanted of them.

    Args:
        looks: Number of observations at each look, growing, at least 2.
        errors: Looks × procedures: the probability that each look is the first significant one.

    Returns:
        Looks × procedures.
    """
    levels = np.empty_like(errors)
    mass = np.repeat(np.diff(_EDGES)[:, None], errors.shape[1], axis=1)  # where no look was significant yet
    for number, look in enumerate(looks):
        for count in range(looks[max(number - 1, 0)], look):
            mass = _transition(count) @ mass
        below = np.vstack([np.zeros(errors.shape[1]), np.cumsum(mass, axis=0)])
        for procedure, error in enumerate(errors[number]):
            levels[number, procedure] = np.interp(error, below[:, procedure], _EDGES)
        significant = (levels[number] - _EDGES[:-1, None]) / np.diff(_EDGES)[:, None]
        mass *= 1 - np.clip(significant, 0, 1)
    return levels


@lru_cache(maxsize=128)
def _transition(count: int) -> Array:
    """Bins × bins: probability to be in a bin (row) with one observation more, having been in another (column)."""
    before, after = _angle(_CENTRES, count), _angle(_EDGES, count + 1)[:, None]
    return -np.diff(_below(after, before, count) - _below(-after, before, count), axis=0)


def _angle(p_value: Array, count: int) -> Array:
    positive = np.maximum(p_value, 1e-30)  # stdtrit is not to be trusted at 0
    return np.arctan(-stdtrit(count - 1, positive / 2) / np.sqrt(count - 1))


def _below(after: Array, before: Array, count: int) -> Array:
    """P(φ_{k+1} ≤ after | φ_k = before).

    With v = tan ψ and tan χ = √k sin φ_k the right side above is √(1 + tan² χ) sin(ψ + χ), ψ between ±π/2: the sine
    is at most a given value on up to two stretches of ψ.
    """
    tangent = np.sqrt(count) * np.sin(before)
    sine = np.sqrt(count + 1) * np.sin(after) / np.sqrt(1 + tangent**2)
    bound, shift = np.arcsin(np.clip(sine, -1, 1)), np.arctan(tangent)

    def cumulative(psi: Array) -> Array:
        return stdtr(count, np.sqrt(count) * np.tan(np.clip(psi, -np.pi / 2, np.pi / 2)))

    rising = cumulative(bound - shift) - cumulative(-np.pi - bound - shift)
    return rising + 1 - cumulative(np.pi - bound - shift)
