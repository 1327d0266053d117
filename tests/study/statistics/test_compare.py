import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from benchmarks.crossed_scores import (
    SETTINGS,
    architectures,
    image_effects,
    one_architecture,
    seed_deviation,
    single_deviation,
)
from study.statistics import compare, holm

SIMULATIONS = 2000


@pytest.mark.parametrize(("seeds", "images"), SETTINGS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_luck_of_the_seed_is_not_called_a_difference(seeds: int, images: int, share: float) -> None:
    """Three architectures that do not differ, compared pairwise with Holm's correction."""
    random = np.random.default_rng(21)
    spread = seed_deviation(share, seeds, images)
    claimed = 0
    for _ in range(SIMULATIONS):
        sides = architectures(random, 3, seeds, images, spread)
        p_values = [compare(a, b).p_value for a, b in combinations(sides, 2)]
        claimed += min(holm(p_values)) < 0.05
    assert claimed / SIMULATIONS <= 0.07


@pytest.mark.parametrize(("seeds", "images"), SETTINGS)
@pytest.mark.parametrize("share", [0.1, 0.7])
def test_intervals_cover_a_true_difference(seeds: int, images: int, share: float) -> None:
    random = np.random.default_rng(22)
    spread = seed_deviation(share, seeds, images)
    deviation = single_deviation(spread)
    covered = np.zeros(2)
    for _ in range(SIMULATIONS):
        a, b = architectures(random, 2, seeds, images, spread)
        compared = compare(a + 0.8, b)
        for index, (true, interval) in enumerate(
            [(0.8, compared.difference), (0.8 / deviation, compared.effect_size)]
        ):
            covered[index] += interval.low <= true <= interval.high
    assert covered / SIMULATIONS == pytest.approx([0.95, 0.95], abs=0.02)


def test_one_seed_each_is_the_paired_t_test_and_says_so() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(10, 3, 30), random.normal(10.5, 3, 30)
    compared, expected = compare(a, b), stats.ttest_rel(a, b)
    assert compared.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    bounds = expected.confidence_interval(0.95)
    assert (compared.difference.low, compared.difference.high) == pytest.approx((bounds.low, bounds.high))
    parts = (compared.difference, compared.effect_size, compared.improvement)
    assert {part.scope for part in parts} == {"these trained models"}


def test_dominant_seeds_give_welchs_test() -> None:
    a, b = np.array([3.0, 9.0, 6.5, 7.0]), np.array([8.0, 8.4, 9.1])
    compared = compare(np.repeat(a[:, None], 40, axis=1), np.repeat(b[:, None], 40, axis=1))
    assert compared.p_value == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-6)
    assert compared.difference.scope == "architecture"


def test_p_value_and_interval_agree() -> None:
    random = np.random.default_rng(5)
    for _ in range(100):
        shared = random.normal(size=(1, 20))
        a, b = shared + random.normal(size=(3, 20)), shared + random.normal(0.3, 1, size=(3, 20))
        difference, p_value = compare(a, b).difference, compare(a, b).p_value
        assert (p_value < 0.05) == (not difference.low <= 0 <= difference.high)


def test_swapping_sides_turns_the_sign() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, (3, 20)), random.normal(0.4, 1, (5, 20))
    there, back = compare(a, b), compare(b, a)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.effect_size.value == pytest.approx(-back.effect_size.value)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.improvement.value == pytest.approx(1 - back.improvement.value)


def test_a_clear_difference_is_found() -> None:
    random = np.random.default_rng(0)
    image = image_effects(random, 72)
    a, b = one_architecture(random, 3, image, 0.2), one_architecture(random, 3, image + 3, 0.2)
    compared = compare(a, b)
    assert compared.p_value < 0.01
    assert compared.improvement.low > 0.5


def test_different_images_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same images"):
        compare(np.zeros((3, 5)), np.zeros((3, 6)))


def test_one_image_allows_no_test() -> None:
    assert math.isnan(compare([[1.0], [2.0]], [[3.0], [4.0]]).p_value)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    corrected = holm([0.02, math.nan, 0.03])
    assert (corrected[0], corrected[2]) == pytest.approx((0.04, 0.04))
    assert math.isnan(corrected[1])
