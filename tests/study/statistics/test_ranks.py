import math

import numpy as np
import pytest
from scipy import stats

from study.statistics import rank_correlation


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
