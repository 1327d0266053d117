import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from benchmarks.situations import SITUATIONS, Situation
from study.statistics import compare, shaffer, without_collapsed

STUDIES = 300


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_chance_is_not_called_a_difference(situation: Situation) -> None:
    """Three equal architectures with three replicates each."""
    random = np.random.default_rng(21)
    claimed, covered = [], []
    for _ in range(STUDIES):
        study = situation.draw(random, 3, 72)
        sides = [without_collapsed(*side) for side in zip(study.scores, study.collapsed, strict=True)]
        found = [compare(a, b, categories=study.categories) for a, b in combinations(sides, 2)]
        of_architectures = [one for one in found if one.difference.scope == "architecture"]
        covered += [one.difference.low <= 0 <= one.difference.high for one in of_architectures]
        p_values = [one.p_value if one in of_architectures else math.nan for one in found]
        claimed.append(any(p < 0.05 for p in shaffer(p_values)))
    assert np.mean(claimed) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)
    assert np.mean(covered) > 0.93


@pytest.mark.parametrize(("replicates", "images"), [(3, 72), (5, 300)])
@pytest.mark.parametrize("luck", [0.1, 0.7])
def test_intervals_cover_a_true_difference(replicates: int, images: int, luck: float) -> None:
    random = np.random.default_rng(22)
    situation = Situation("", luck=luck)
    effect = 0.8 / situation.single_deviation(0, 1)
    better = stats.norm.cdf(0.8 / math.hypot(*[math.sqrt(2) * one for one in (1.0, 1.5, situation.spread)]))
    covered = np.zeros(3)
    for _ in range(500):
        a, b, _ = situation.draw(random, replicates, images).scores
        found = compare(a - 0.8, b)
        for index, (truth, interval) in enumerate(
            [(-0.8, found.difference), (-effect, found.effect_size), (better, found.improvement)]
        ):
            covered[index] += interval.low <= truth <= interval.high
    assert np.all(covered / 500 > 0.93)
    assert np.all(covered / 500 < 0.995)


def test_one_replicate_is_the_paired_t_test_and_says_so() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(10, 3, 30), random.normal(10.5, 3, 30)
    compared, expected = compare(a, b), stats.ttest_rel(a, b)
    assert compared.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    bounds = expected.confidence_interval(0.95)
    assert (compared.difference.low, compared.difference.high) == pytest.approx((bounds.low, bounds.high))
    parts = (compared.difference, compared.effect_size, compared.improvement)
    assert {part.scope for part in parts} == {"these configurations"}


def test_dominant_replicates_give_the_t_test_paired_by_replicate() -> None:
    a, b = np.array([3.0, 9.0, 6.5, 7.0]), np.array([3.9, 9.4, 8.4, 7.1])
    compared = compare(np.repeat(a[:, None], 40, axis=1), np.repeat(b[:, None], 40, axis=1))
    assert compared.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-6)
    assert compared.difference.scope == "architecture"


def test_p_value_and_interval_agree() -> None:
    random = np.random.default_rng(5)
    for _ in range(100):
        shared = random.normal(size=(1, 20))
        a, b = shared + random.normal(size=(3, 20)), shared + random.normal(0.3, 1, size=(3, 20))
        difference, p_value = compare(a, b).difference, compare(a, b).p_value
        assert (p_value < 0.05) == (not difference.low <= 0 <= difference.high)


def test_a_split_that_both_sides_share_is_no_luck_of_either() -> None:
    random = np.random.default_rng(6)
    split = 3 * random.normal(size=(4, 1))
    a, b = random.normal(size=(2, 4, 50))
    apart, together = compare(a, b), compare(a + split, b + split)
    assert together.difference.high == pytest.approx(apart.difference.high)
    assert together.p_value == pytest.approx(apart.p_value)


def test_replicates_of_one_side_alone_and_collapsed_ones_are_left_out() -> None:
    a, b = np.random.default_rng(7).normal(size=(2, 5, 30))
    found = compare(without_collapsed(a, [False, True, False, False, False]), b[:4])
    expected = compare(a[[0, 2, 3]], b[[0, 2, 3]])
    assert (found.replicates, found.left_out) == (3, 1)
    assert found.difference.low == pytest.approx(expected.difference.low)
    assert found.p_value == pytest.approx(expected.p_value)


def test_swapping_sides_turns_the_sign() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, (3, 20)), random.normal(0.4, 1, (3, 20))
    there, back = compare(a, b), compare(b, a)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.effect_size.value == pytest.approx(-back.effect_size.value)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.improvement.value == pytest.approx(1 - back.improvement.value)


def test_improvement_is_the_share_of_images_won_and_ties_count_half() -> None:
    a, b = np.random.default_rng(0).integers(0, 6, (2, 3, 10)).astype(float)
    lower = np.mean((a < b) + 0.5 * (a == b))
    assert compare(a, b).improvement.value == pytest.approx(lower)
    assert compare(a, b, lower_is_better=False).improvement.value == pytest.approx(1 - lower)


def test_certainty_still_has_an_interval_inside_0_and_1() -> None:
    always = compare(np.zeros((3, 20)), np.ones((3, 20))).improvement
    assert (always.value, always.high) == pytest.approx((1, 1))
    assert 0.5 < always.low < 1


def test_different_images_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same images"):
        compare(np.zeros((3, 5)), np.zeros((3, 6)))


def test_what_allows_no_test_has_none() -> None:
    few = compare(np.zeros((2, 4)), np.ones((2, 4)))
    assert np.isnan([few.p_value, few.difference.low, few.improvement.low, few.effect_size.low]).all()
    nothing = compare(np.full((2, 6), np.nan), np.ones((2, 6)))
    assert np.isnan([nothing.p_value, nothing.difference.value, nothing.improvement.value]).all()
    assert (nothing.replicates, nothing.left_out) == (0, 2)
