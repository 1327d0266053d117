from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_utils.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    assign_splits,
    duplicate_pairs,
    redraw_validation,
    rotate,
)


def split_of(names, categories=None, given=None, groups=None):
    count = len(names)
    return assign_splits(names, categories or [-1] * count, given or [None] * count, groups or range(count))


def divided(split, groups):
    """Groups on more than one side."""
    return [g for g in set(groups) if len({int(s) for s, k in zip(split, groups, strict=True) if k == g}) > 1]


def test_shares_are_80_10_10():
    split = split_of([f"{i}.jpg" for i in range(200)])
    assert np.bincount(split).tolist() == [160, 20, 20]


def test_every_large_category_gives_its_share():
    names = [f"{c}/{i}.jpg" for c in range(4) for i in range(30)]
    split = split_of(names, [c for c in range(4) for _ in range(30)])
    for category in range(4):
        assert np.bincount(split[category * 30 : category * 30 + 30]).tolist() == [24, 3, 3]


def test_small_categories_give_theirs_in_turn():
    names = [f"{c}/{i}.jpg" for c in range(50) for i in range(2)]
    split = split_of(names, [c for c in range(50) for _ in range(2)])
    assert np.bincount(split).tolist() == [80, 10, 10]


def test_a_given_test_set_is_kept_and_validation_is_a_tenth_of_the_rest():
    given_sides = ["train"] * 100 + ["test"] * 30
    split = split_of([f"image{i:04d}.jpg" for i in range(130)], given=given_sides)
    assert (split[100:] == TEST).all()
    assert np.bincount(split[:100], minlength=3).tolist() == [90, 10, 0]


def test_a_given_test_set_stays_where_a_training_image_equals_one_of_it():
    groups = list(range(24))
    groups[3] = groups[22]
    split = split_of([f"{i}.jpg" for i in range(24)], given=["train"] * 20 + ["test"] * 4, groups=groups)
    assert split[22] == TEST
    assert split[3] in (TRAIN, VALIDATION)


def test_given_validation_images_are_kept_and_test_is_a_tenth_of_the_rest():
    split = split_of([f"{i}.jpg" for i in range(120)], given=["train"] * 100 + ["validation"] * 20)
    assert (split[100:] == VALIDATION).all()
    assert np.bincount(split[:100], minlength=3).tolist() == [90, 0, 10]


def test_folder_name_does_not_matter():
    names = [f"photo{i}.jpg" for i in range(60)]
    assert np.array_equal(split_of(names), split_of([f"elsewhere/{name}" for name in names]))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_order_does_not_matter_and_groups_stay_together(data):
    count = data.draw(st.integers(1, 60))
    names = [f"{i}.jpg" for i in range(count)]
    categories = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    groups = data.draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
    split = split_of(names, categories, groups=groups)
    order = data.draw(st.permutations(range(count)))
    shuffled = split_of(
        [names[i] for i in order], [categories[i] for i in order], groups=[groups[i] for i in order]
    )
    assert np.array_equal(split[list(order)], shuffled)
    assert not divided(split, groups)
    assert (split == TEST).sum() <= 0.1 * count + 0.5


def test_duplicates_are_paired_with_the_first():
    assert duplicate_pairs(["a", "b", "c", "d"], ["1", "2", "1", "1"]) == (("a", "c"), ("a", "d"))


def photographs(categories=4, each=25):
    """Names, categories and groups: the first two images of every category are one picture."""
    names = [f"{c}-{i}.jpg" for c in range(categories) for i in range(each)]
    groups = list(range(len(names)))
    for category in range(categories):
        groups[category * each + 1] = category * each
    return names, [c for c in range(categories) for _ in range(each)], groups


def test_replicates_redraw_validation_and_leave_the_test_split():
    names, categories, groups = photographs()
    own = assign_splits(names, categories, [None] * len(names), groups)

    def redraw(replicate, seed=7):
        return redraw_validation(own, names, categories, groups, seed=seed, replicate=replicate)

    assert np.array_equal(redraw(0), own)
    drawn = [redraw(replicate) for replicate in range(6)]
    for split in drawn:
        assert np.array_equal(split == TEST, own == TEST)
        assert (split == VALIDATION).sum() == (own == VALIDATION).sum()
        assert np.bincount(np.array(categories)[split == VALIDATION], minlength=4).min() >= 1
        assert not divided(split, groups)
    assert len({split.tobytes() for split in drawn}) == 6
    assert np.array_equal(redraw(3), drawn[3])
    assert not np.array_equal(redraw(3, seed=8), drawn[3])


def test_rotation_tests_every_image_once_in_five_replicates():
    names, categories, groups = photographs()
    splits = [rotate(names, categories, groups, seed=7, replicate=r) for r in range(10)]
    for split in splits:
        assert np.bincount(split, minlength=3).tolist() == [70, 10, 20]
        assert np.bincount(np.array(categories)[split == TEST]).tolist() == [5] * 4
        assert not divided(split, groups)
    tested = [np.sum([split == TEST for split in splits[k : k + 5]], axis=0) for k in (0, 5)]
    assert (np.array(tested) == 1).all()
    assert {s.tobytes() for s in splits[:5]} != {s.tobytes() for s in splits[5:]}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rotation_keeps_groups_together_whatever_the_order(data):
    count = data.draw(st.integers(5, 60))
    names = [f"{i}.jpg" for i in range(count)]
    categories = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    groups = data.draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
    replicate = data.draw(st.integers(0, 9))
    split = rotate(names, categories, groups, seed=1, replicate=replicate)
    order = data.draw(st.permutations(range(count)))
    shuffled = rotate(
        *([v[i] for i in order] for v in (names, categories, groups)), seed=1, replicate=replicate
    )
    assert np.array_equal(split[list(order)], shuffled)
    assert not divided(split, groups)
