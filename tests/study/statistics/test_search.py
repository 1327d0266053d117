import math

import numpy as np
import pytest
from scipy import stats

from study.statistics import expected_best, incumbent, rank_correlation


def test_incumbent_only_improves_and_failures_are_charged() -> None:
    spent, best = incumbent([np.nan, 5.0, 7.0, -np.inf, 4.0], [2, 1, 1, 3, 1])
    assert spent.tolist() == [2, 3, 4, 7, 8]
    np.testing.assert_equal(best, [np.nan, 5, 5, 5, 4])


def test_incumbent_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="pair up"):
        incumbent([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="less than nothing"):
        incumbent([1.0], [-1.0])


def test_expected_best_is_the_mean_minimum_of_draws_with_replacement() -> None:
    random = np.random.default_rng(0)
    values = random.gamma(2, size=9)
    curve = expected_best(values)
    assert curve[0] == pytest.approx(values.mean())
    for trials in (2, 5, 9):
        drawn = random.choice(values, (200_000, trials)).min(axis=1).mean()
        assert curve[trials - 1] == pytest.approx(drawn, abs=0.01)
    assert np.all(np.diff(curve) < 0)


def test_failed_trials_count_as_the_worst() -> None:
    np.testing.assert_allclose(expected_best([1.0, np.nan, 3.0]), expected_best([1.0, 3.0, 3.0]))
    assert np.isnan(expected_best([np.nan, np.inf])).all()
    assert expected_best([]).size == 0


@pytest.mark.parametrize("kind", ["spearman", "kendall"])
def test_interval_covers_the_population_value(kind: str) -> None:
    random = np.random.default_rng(0)
    r = 0.7
    true = 6 / math.pi * math.asin(r / 2) if kind == "spearman" else 2 / math.pi * math.asin(r)
    covered = 0
    for _ in range(400):
        x, noise = random.standard_normal((2, 25))
        interval = rank_correlation(x, r * x + math.sqrt(1 - r**2) * noise, kind)
        covered += interval.low <= true <= interval.high
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


def test_values_are_scipys_and_missing_pairs_are_left_out() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 12))
    with_gap = np.append(x, 3.0), np.append(y, np.nan)
    assert rank_correlation(*with_gap).value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert rank_correlation(x, y, "kendall").value == pytest.approx(stats.kendalltau(x, y).statistic)


def test_few_constant_or_perfectly_ordered_values() -> None:
    assert math.isnan(rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).value)
    assert math.isnan(rank_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).low)
    perfect = rank_correlation(range(8), range(8))
    assert 0.9 < perfect.low <= perfect.value == pytest.approx(1)


def test_unpaired_values_are_refused() -> None:
    with pytest.raises(ValueError, match="pair up"):
        rank_correlation([1.0, 2.0], [1.0])
