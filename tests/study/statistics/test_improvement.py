import numpy as np
import pytest

from benchmarks.crossed_scores import SETTINGS, architectures, chance_of_improvement, seed_deviation
from study.statistics import probability_of_improvement

SIMULATIONS = 2000


def test_it_is_rliables_estimate() -> None:
    """rliable: the Mann-Whitney statistic of the runs of every task, averaged over tasks."""
    random = np.random.default_rng(0)
    a, b = random.integers(0, 6, (3, 10)).astype(float), random.integers(0, 6, (4, 10)).astype(float)
    wins = [[(x > y) + 0.5 * (x == y) for x in a[:, k] for y in b[:, k]] for k in range(10)]
    higher = probability_of_improvement(a, b, lower_is_better=False)
    assert higher.value == pytest.approx(np.mean(wins))
    assert probability_of_improvement(a, b).value == pytest.approx(1 - np.mean(wins))


@pytest.mark.parametrize(("seeds", "images"), SETTINGS)
@pytest.mark.parametrize("share", [0.1, 0.7])
@pytest.mark.parametrize("better", [0.0, 0.8])
def test_it_covers_the_true_chance_at_95_percent(
    seeds: int, images: int, share: float, better: float
) -> None:
    random = np.random.default_rng(31)
    spread = seed_deviation(share, seeds, images)
    true = chance_of_improvement(better, spread)
    covered = 0
    for _ in range(SIMULATIONS):
        a, b = architectures(random, 2, seeds, images, spread)
        interval = probability_of_improvement(a, b + better)
        covered += interval.low <= true <= interval.high
    assert covered / SIMULATIONS == pytest.approx(0.95, abs=0.02)


def test_certainty_still_has_an_interval_inside_0_and_1() -> None:
    always = probability_of_improvement(np.zeros((3, 20)), np.ones((3, 20)))
    assert (always.value, always.high) == pytest.approx((1, 1))
    assert 0.5 < always.low < 1


def test_a_missing_score_is_not_a_tie() -> None:
    assert np.isnan(probability_of_improvement([[np.nan, 1.0]], [[1.0, 2.0]]).value)
