import numpy as np
import pytest

from study.statistics import expected_best, incumbent


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
