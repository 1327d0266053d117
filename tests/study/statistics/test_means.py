import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from benchmarks.situations import MEAN, RATIO, Situation
from study.statistics import mean_interval, ratio_interval

STUDIES = 1000
SLACK = 0.02  # three standard errors


@pytest.mark.parametrize(("replicates", "images"), [(3, 72), (5, 300)])
@pytest.mark.parametrize("luck", [0.0, 0.3, 2.0])
def test_mean_and_ratio_cover_at_95_percent(replicates: int, images: int, luck: float) -> None:
    random = np.random.default_rng(11)
    situation = Situation("", luck=luck)
    covered = np.zeros(2)
    for _ in range(STUDIES):
        study = situation.draw(random, replicates, images)
        mean, ratio = mean_interval(study.scores[0]), ratio_interval(study.predicted(0), study.truth)
        covered += [mean.low <= MEAN <= mean.high, ratio.low <= RATIO <= ratio.high]
    assert np.all(covered / STUDIES > 0.95 - SLACK)
    assert np.all(covered / STUDIES < 0.98 + SLACK)


@pytest.mark.parametrize("replicates", [1, 3])
def test_categories_are_covered_only_when_they_are_told(replicates: int) -> None:
    random = np.random.default_rng(12)
    category = np.repeat(np.arange(20), random.integers(3, 12, size=20))
    covered = np.zeros(2)
    for _ in range(STUDIES):
        of_images = random.normal(size=20)[category] + random.normal(size=len(category))
        scores = of_images + 0.5 * random.normal(size=(replicates, len(category)))
        told, untold = mean_interval(scores, categories=category), mean_interval(scores)
        covered += [told.low <= 0 <= told.high, untold.low <= 0 <= untold.high]
    assert covered[0] / STUDIES == pytest.approx(0.95, abs=SLACK)
    assert covered[1] / STUDIES < 0.8


def test_images_alone_under_cover_when_replicates_differ() -> None:
    random = np.random.default_rng(13)
    covered = 0
    for _ in range(200):
        scores = Situation("", luck=2.0).draw(random, 3, 72).scores[0]
        interval = mean_interval(scores.mean(axis=0))
        covered += interval.low <= MEAN <= interval.high
    assert covered / 200 < 0.85


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("shared", [False, True])
def test_rotated_test_splits_are_covered(spread: float, shared: bool) -> None:
    """Every replicate has 36 test images, of its own or some of them in common."""
    random = np.random.default_rng(14)
    covered = 0
    for _ in range(STUDIES):
        interval = mean_interval(_rotated(random, spread, 110 if shared else 180))
        covered += interval.low <= 0 <= interval.high
    assert covered / STUDIES == pytest.approx(0.95, abs=SLACK)


def _rotated(random: np.random.Generator, spread: float, images: int) -> NDArray[np.float64]:
    image, scores = random.normal(size=images), np.full((5, images), np.nan)
    apart = random.permutation(images).reshape(5, -1) if images == 180 else None
    for replicate in range(5):
        own = random.choice(images, 36, replace=False) if apart is None else apart[replicate]
        scores[replicate, own] = image[own] + spread * random.normal() + random.normal(size=36)
    return scores


def test_one_replicate_is_the_t_interval_over_images_and_says_so() -> None:
    values = np.random.default_rng(0).normal(10, 3, 30)
    interval = mean_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.scope == "these configurations"
    assert mean_interval(np.stack([values, values + 1])).scope == "architecture"


def test_replicates_that_are_alike_add_nothing() -> None:
    values = np.random.default_rng(0).normal(10, 3, 30)
    several, one = mean_interval(np.stack([values] * 3)), mean_interval(values)
    assert (several.low, several.high) == pytest.approx((one.low, one.high))


def test_dominant_replicates_give_the_t_interval_over_replicates() -> None:
    replicates = np.array([3.0, 9.0, 6.5])
    interval = mean_interval(np.repeat(replicates[:, None], 20, axis=1))
    expected = stats.ttest_1samp(replicates, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_dominant_categories_give_the_t_interval_over_categories() -> None:
    categories = np.repeat(np.arange(6), 5)
    values = np.array([3.0, 9.0, 6.5, 4.0, 8.0, 7.0])
    interval = mean_interval(values[categories], categories=categories)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_a_constant_truth_makes_the_ratio_a_scaled_mean() -> None:
    predicted = np.random.default_rng(0).normal(10, 3, (3, 30))
    predicted[0, :4] = np.nan
    ratio, mean = ratio_interval(predicted, np.full(30, 4.0)), mean_interval(predicted / 4)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((mean.value, mean.low, mean.high))


def test_fewer_than_five_images_have_no_interval() -> None:
    four, five = np.random.default_rng(0).normal(size=(2, 3, 5))
    assert math.isnan(mean_interval(four[:, :4]).low)
    assert mean_interval(four[:, :4]).value == pytest.approx(four[:, :4].mean())
    assert math.isfinite(mean_interval(five).low)
    assert math.isnan(mean_interval([[1.0], [2.0]]).high)


def test_what_does_not_exist_is_nan() -> None:
    nothing = mean_interval(np.full((2, 6), np.nan))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    assert math.isnan(ratio_interval(np.ones(6), np.zeros(6)).value)


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="replicates × images"):
        mean_interval(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="replicates × images"):
        mean_interval([])
    with pytest.raises(ValueError, match="3 images were predicted"):
        ratio_interval([1.0, 2.0, 3.0], [1.0, 2.0])
