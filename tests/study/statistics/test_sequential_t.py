import math

import numpy as np
import pytest
from scipy import stats

from study.statistics.sequential_t import nominal_levels


def test_a_single_look_may_make_all_the_error() -> None:
    assert nominal_levels([7], np.array([[0.05, 0.01]])) == pytest.approx(np.array([[0.05, 0.01]]))


def test_a_look_that_may_not_err_changes_nothing() -> None:
    levels = nominal_levels([3, 4, 9], np.array([[0.0], [0.0], [0.05]]))
    assert levels.ravel() == pytest.approx([0, 0, 0.05], rel=0.003)


@pytest.mark.parametrize("looks", [[3, 4, 5, 6, 7, 8, 9, 10], [2, 5, 10]])
def test_t_tests_of_simulated_observations_err_as_often_as_wanted(looks: list[int]) -> None:
    errors = np.full((len(looks), 1), 0.05 / len(looks))
    levels = nominal_levels(looks, errors).ravel()
    values = np.random.default_rng(0).normal(size=(400_000, 10))
    undecided = np.ones(len(values), dtype=bool)
    for look, level, error in zip(looks, levels, errors.ravel(), strict=True):
        seen = values[:, :look]
        t = math.sqrt(look) * np.abs(seen.mean(axis=1)) / seen.std(axis=1, ddof=1)
        now = undecided & (t > stats.t.isf(level / 2, look - 1))
        assert now.mean() == pytest.approx(error, abs=4 * math.sqrt(error / len(values)))
        undecided &= ~now
