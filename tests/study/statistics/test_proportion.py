import math

import pytest
from scipy import stats

from study.statistics import wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (3, 9), (17, 20), (20, 20)])
def test_bounds_are_scipys(successes: int, trials: int) -> None:
    interval = wilson(successes, trials)
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_trials_say_nothing_and_impossible_counts_are_refused() -> None:
    assert math.isnan(wilson(0, 0).value)
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        wilson(3, 2)
