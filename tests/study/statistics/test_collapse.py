import numpy as np
import pytest

from study.statistics import collapse_rate, mean_interval, wilson, without_collapsed


def test_collapsed_replicates_do_not_count_and_others_keep_their_row() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 10))
    sound = without_collapsed(scores, [True, False, False, True])
    assert np.isnan(sound[[0, 3]]).all()
    np.testing.assert_array_equal(sound[1:3], scores[1:3])
    assert mean_interval(sound).low == pytest.approx(mean_interval(scores[1:3]).low)


def test_the_rate_is_wilsons_and_speaks_of_the_architecture() -> None:
    rate, expected = collapse_rate([True, False, False]), wilson(1, 3)
    assert (rate.value, rate.low, rate.high) == (expected.value, expected.low, expected.high)
    assert rate.scope == "architecture"


def test_every_replicate_needs_a_flag() -> None:
    with pytest.raises(ValueError, match="2 replicates need as many flags"):
        without_collapsed(np.zeros((2, 5)), [True])
