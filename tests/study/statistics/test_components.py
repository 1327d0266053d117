import math

import numpy as np
import pytest

from study.statistics.components import components


def test_a_complete_design_is_the_analysis_of_variance() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 30)) + np.arange(4)[:, None] + np.arange(30) / 5
    replicates, images, grand = scores.mean(axis=1), scores.mean(axis=0), scores.mean()
    of_replicates = 30 * np.sum((replicates - grand) ** 2) / 3
    of_images = 4 * np.sum((images - grand) ** 2) / 29
    of_rest = np.sum((scores - replicates[:, None] - images + grand) ** 2) / (3 * 29)
    found = components(scores)
    expected = [(of_replicates - of_rest) / 30, 0, (of_images - of_rest) / 4, of_rest]
    assert found.variances == pytest.approx(expected)
    assert found.weights == pytest.approx([1 / 4, 1, 1 / 30, 1 / 120])
    of_mean = {part.freedom: part.variance for part in found.parts()}
    assert of_mean[3] == pytest.approx(np.var(replicates, ddof=1) / 4)
    assert of_mean[29] == pytest.approx((of_images - of_rest) / 4 / 30)


def test_replicates_with_images_of_their_own_are_a_sample_of_means() -> None:
    scores = np.full((3, 30), np.nan)
    for replicate in range(3):
        own = slice(10 * replicate, 10 * replicate + 10)
        scores[replicate, own] = np.random.default_rng(replicate).normal(replicate, 1, 10)
    means = np.nanmean(scores, axis=1)
    assert sum(part.variance for part in components(scores).parts()) == pytest.approx(
        np.var(means, ddof=1) / 3
    )


@pytest.mark.parametrize("rotated", [False, True])
def test_components_are_unbiased_where_categories_and_test_splits_differ(rotated: bool) -> None:
    random = np.random.default_rng(1)
    category = np.repeat(np.arange(8), [2, 3, 5, 9, 4, 6, 2, 12])
    found = []
    for _ in range(2000):
        scores = (
            0.5 * random.normal(size=(4, 1))
            + 0.7 * random.normal(size=8)[category]
            + random.normal(size=len(category))
            + 1.5 * random.normal(size=(4, len(category)))
        )
        if rotated:
            scores[random.random(scores.shape) < 0.4] = np.nan
        found.append(components(scores, category).variances)
    error = np.std(found, axis=0) / math.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - [0.25, 0.49, 1, 2.25]) < 4 * error)


def test_what_is_absent_changes_nothing() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 20))
    wider = np.full((4, 22), np.nan)
    wider[np.ix_([0, 1, 3], range(1, 21))] = scores
    whole, sparse = components(scores), components(wider)
    assert sparse.variances == pytest.approx(whole.variances)
    assert (sparse.replicates, sparse.images) == (3, 20)


def test_few_categories_are_not_a_level_and_all_need_one() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 20))
    assert components(scores, np.arange(20) % 4).categories == 0
    assert components(scores, np.arange(20) % 5).categories == 5
    assert components(scores, np.arange(20)).categories == 0
    with pytest.raises(ValueError, match="20 images need as many categories"):
        components(scores, [0, 1, 2])
