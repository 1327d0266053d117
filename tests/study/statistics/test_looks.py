import math

import numpy as np
import pytest
from scipy import stats

from study.statistics import look_level, repeated_p
from study.statistics.looks import spent

EVERY = range(3, 11)


def test_spending_is_that_of_lan_and_demets() -> None:
    assert spent(10, 10, 0.05) == pytest.approx(0.05)
    assert spent(5, 10, 0.05) == pytest.approx(2 * stats.norm.sf(1.959964 / math.sqrt(0.5)))


def test_one_look_at_the_end_is_the_plain_test() -> None:
    assert look_level([10], 10, 0.05) == pytest.approx(0.05, rel=1e-3)
    assert repeated_p([0.03], [10], 10) == pytest.approx(0.03, rel=1e-3)


def test_early_looks_may_err_little_and_all_together_as_wanted() -> None:
    levels = [look_level(EVERY[: number + 1], 10, 0.05) for number in range(len(EVERY))]
    assert levels == sorted(levels)
    assert levels[0] < 0.001
    assert 0.02 < levels[-1] < 0.05
    values = np.random.default_rng(0).normal(size=(200_000, 10))
    wrong = np.zeros(len(values), dtype=bool)
    for look, level in zip(EVERY, levels, strict=True):
        seen = values[:, :look]
        t = math.sqrt(look) * np.abs(seen.mean(axis=1)) / seen.std(axis=1, ddof=1)
        wrong |= t > stats.t.isf(level / 2, look - 1)
    assert wrong.mean() == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 0.001])
def test_a_p_value_at_the_level_is_alpha_over_all_looks(alpha: float) -> None:
    level = look_level([3, 5, 8], 10, alpha)
    assert repeated_p([1.0, 1.0, level], [3, 5, 8], 10) == pytest.approx(alpha, rel=1e-9)


def test_further_looks_never_raise_the_p_value() -> None:
    p_values = [0.2, 0.002, 0.3, 0.04]
    found = [repeated_p(p_values[: n + 1], [3, 4, 5, 6][: n + 1], 10) for n in range(4)]
    assert found == sorted(found, reverse=True)
    assert found[1] == found[2]


def test_a_missing_p_value_leaves_nothing_known() -> None:
    assert math.isnan(repeated_p([0.1, math.nan], [3, 4], 10))


@pytest.mark.parametrize("looks", [[], [1, 2], [3, 3], [4, 3], [3, 11]])
def test_impossible_looks_are_refused(looks: list[int]) -> None:
    with pytest.raises(ValueError, match="grow from 2 to at most 10"):
        look_level(looks, 10, 0.05)
    with pytest.raises(ValueError, match="2 looks need as many p-values"):
        repeated_p([0.1], [3, 4], 10)
