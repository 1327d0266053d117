from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_utils.splits import TEST, TRAIN, VALIDATION, assign_splits, duplicate_pairs


def split_of(names, categories=None, given=None, contents=None):
    count = len(names)
    return assign_splits(names, categories or [-1] * count, given or [None] * count, contents or list(names))


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
    contents = [str(i) for i in range(24)]
    contents[3] = contents[22]
    split = split_of([f"{i}.jpg" for i in range(24)], given=["train"] * 20 + ["test"] * 4, contents=contents)
    assert split[22] == TEST
    assert split[3] in (TRAIN, VALIDATION)


def test_folder_name_does_not_matter():
    names = [f"photo{i}.jpg" for i in range(60)]
    assert np.array_equal(split_of(names), split_of([f"elsewhere/{name}" for name in names]))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_order_does_not_matter_and_identical_images_stay_together(data):
    count = data.draw(st.integers(1, 60))
    names = [f"{i}.jpg" for i in range(count)]
    categories = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    contents = [str(c) for c in data.draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))]
    split = split_of(names, categories, contents=contents)
    order = data.draw(st.permutations(range(count)))
    shuffled = split_of(
        [names[i] for i in order], [categories[i] for i in order], contents=[contents[i] for i in order]
    )
    assert np.array_equal(split[list(order)], shuffled)
    for content in set(contents):
        assert len({int(side) for side, c in zip(split, contents, strict=True) if c == content}) == 1
    assert (split == TEST).sum() <= 0.1 * count + 0.5


def test_duplicates_are_paired_with_the_first():
    assert duplicate_pairs(["a", "b", "c", "d"], ["1", "2", "1", "1"]) == (("a", "c"), ("a", "d"))
