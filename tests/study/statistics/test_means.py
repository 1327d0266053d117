import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.crossed_scores import (
    MEAN,
    RATIO,
    SETTINGS,
    image_effects,
    one_architecture,
    quantities,
    seed_deviation,
)
from study.statistics import mean_interval, ratio_interval

SIMULATIONS = 2000


@pytest.mark.parametrize(("seeds", "images"), SETTINGS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.7, 0.95])
def test_mean_covers_at_95_percent_with_both_random(seeds: int, images: int, share: float) -> None:
    random = np.random.default_rng(11)
    spread = seed_deviation(share, seeds, images)
    covered = 0
    for _ in range(SIMULATIONS):
        interval = mean_interval(one_architecture(random, seeds, image_effects(random, images), spread))
        covered += interval.low <= MEAN <= interval.high
    assert covered / SIMULATIONS == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("seeds", "images"), SETTINGS)
@pytest.mark.parametrize("share", [0.0, 0.7])
def test_ratio_covers_at_95_percent(seeds: int, images: int, share: float) -> None:
    random = np.random.default_rng(12)
    covered = 0
    for _ in range(SIMULATIONS):
        interval = ratio_interval(*quantities(random, seeds, images, share))
        covered += interval.low <= RATIO <= interval.high
    assert covered / SIMULATIONS == pytest.approx(0.95, abs=0.02)


def test_images_alone_under_cover_when_seeds_differ() -> None:
    random = np.random.default_rng(13)
    spread = seed_deviation(0.7, 3, 72)
    covered = 0
    for _ in range(200):
        interval = mean_interval(one_architecture(random, 3, image_effects(random, 72), spread).mean(axis=0))
        covered += interval.low <= MEAN <= interval.high
    assert covered / 200 < 0.85


def test_one_seed_is_the_t_interval_over_images_and_says_so() -> None:
    values = np.random.default_rng(0).normal(10, 3, 30)
    interval = mean_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.scope == "these trained models"
    assert mean_interval(np.stack([values, values + 1])).scope == "architecture"


def test_without_seed_or_rest_variance_seeds_add_nothing() -> None:
    values = np.random.default_rng(0).normal(10, 3, 30)
    several, one = mean_interval(np.stack([values] * 3)), mean_interval(values)
    assert (several.low, several.high) == pytest.approx((one.low, one.high))


def test_dominant_seeds_give_the_t_interval_over_seeds() -> None:
    seeds = np.array([3.0, 9.0, 6.5])
    interval = mean_interval(np.repeat(seeds[:, None], 20, axis=1))
    expected = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_a_constant_truth_makes_the_ratio_a_scaled_mean() -> None:
    predicted = np.random.default_rng(0).normal(10, 3, (3, 30))
    ratio, mean = ratio_interval(predicted, np.full(30, 4.0)), mean_interval(predicted / 4)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((mean.value, mean.low, mean.high))


def test_what_allows_no_interval_has_none() -> None:
    assert math.isnan(mean_interval([[1.0], [2.0]]).low)
    assert math.isnan(mean_interval([[1.0, math.nan], [2.0, 1.0]]).high)
    assert math.isnan(ratio_interval([1.0, 2.0], [0.0, 0.0]).value)


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="seeds × images"):
        mean_interval(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="seeds × images"):
        mean_interval([])
    with pytest.raises(ValueError, match="3 images were predicted"):
        ratio_interval([1.0, 2.0, 3.0], [1.0, 2.0])
