"""The chain of p-values of a t test that is repeated as observations come in, when there is no effect.

Looks at growing data are told apart from one another by how the statistic moves between them. Group-sequential theory
takes normal increments for that; with the few replicates of a study its tests claim 5.7 to 6 % in place of 5 (looks
after each of 3 to 10). The t statistic has a chain of its own (C. Jennison, B. W. Turnbull: "Exact calculations for
sequential t, χ² and F tests", Biometrika 78, 1991). Write the angle φ between the observations x_1 … x_k and a constant
vector: t = √(k-1) tan φ. Without an effect the direction of the observations is independent of their length, so with
v = x_{k+1} / √(x_1² + … + x_k²), for which √k v has Student's t distribution with k degrees of freedom,

    √(k+1) sin φ_{k+1} = (√k sin φ_k + v) / √(1 + v²)

depends on the past through φ_k alone. The chain is kept on a grid of two-sided p-values, where it starts uniform.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Array = NDArray[np.float64]

EDGES: Array = np.linspace(0, 1, 201) ** 4
"""Of the bins of p-values, small where tests are decided; a finer grid moves no level by more than 0.3 %."""
_CENTRES = (EDGES[1:] + EDGES[:-1]) / 2


@lru_cache(maxsize=128)
def transition(count: int) -> Array:
    """How p-values move when one more observation comes in.

    Args:
        count: Observations before, at least 2.

    Returns:
        Bins × bins: the probability to be in a bin (row) after having been in one (column).
    """
    before, after = _angle(_CENTRES, count), _angle(EDGES, count + 1)[:, None]
    inside = _below(after, before, count) - _below(-after, before, count)
    return -np.diff(inside, axis=0)


def _angle(p_value: Array, count: int) -> Array:
    positive = np.maximum(p_value, 1e-30)  # stdtrit is not to be trusted at 0
    return np.arctan(-stdtrit(count - 1, positive / 2) / np.sqrt(count - 1))


def _below(after: Array, before: Array, count: int) -> Array:
    """P(φ_{k+1} ≤ after | φ_k = before).

    With v = tan ψ and tan χ = √k sin φ_k the right side above is √(1 + tan² χ) sin(ψ + χ), and ψ lies between ±π/2;
    the sine is at most a given value on three stretches of ψ + χ.
    """
    tangent = np.sqrt(count) * np.sin(before)
    sine = np.sqrt(count + 1) * np.sin(after) / np.sqrt(1 + tangent**2)
    bound, shift = np.arcsin(np.clip(sine, -1, 1)), np.arctan(tangent)

    def cumulative(psi: Array) -> Array:
        return stdtr(count, np.sqrt(count) * np.tan(np.clip(psi, -np.pi / 2, np.pi / 2)))

    rising = cumulative(bound - shift) - cumulative(-np.pi - bound - shift)
    return rising + 1 - cumulative(np.pi - bound - shift)
