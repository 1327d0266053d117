"""The real photographs, where they are at hand."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from data_utils import TEST, TRAIN, VALIDATION, ImageSet, load_dataset
from data_utils.prepare import main


@pytest.fixture(scope="module")
def fruit(photographs, tmp_path_factory) -> ImageSet:
    return load_dataset(photographs / "dataset2", 32, cache=tmp_path_factory.mktemp("cache"))


def test_fruit_has_721_images_in_20_categories_and_20_identical_pairs(fruit, photographs):
    assert (fruit.layout, len(fruit), len(fruit.categories)) == ("natural-color", 721, 20)
    assert not fruit.refused
    with (photographs / "dataset2" / "duplicates.csv").open(newline="") as file:
        known = {frozenset(row[:2]) for row in csv.reader(file) if row and row[0].endswith(".jpg")}
    found = {frozenset(name.removeprefix("ColorfulOriginal/") for name in pair) for pair in fruit.duplicates}
    assert len(found) == 20
    assert found == known


def test_identical_photographs_are_on_one_side(fruit):
    side = dict(zip(fruit.files, fruit.split.tolist(), strict=True))
    assert all(side[a] == side[b] for a, b in fruit.duplicates)


def test_near_duplicates_of_the_fruit_are_found_and_on_one_side(fruit):
    """Re-encodings beside the twenty identical pairs, and one mirrored picture; Chilli1, 2 and 5 are one picture."""
    pairs = {tuple(name.rsplit("/", 1)[1].removesuffix(".jpg") for name in p) for p in fruit.near_duplicates}
    assert pairs == {
        ("Chilli1", "Chilli5"),
        ("Chilli2", "Chilli5"),
        ("Chilli11", "Chilli4"),
        ("cucumber22", "cucumber4"),
        ("Brinjal12", "Brinjal16"),
    }
    side = dict(zip(fruit.files, fruit.split.tolist(), strict=True))
    assert all(side[a] == side[b] for a, b in fruit.near_duplicates)
    for split in (TRAIN, VALIDATION, TEST):
        assert len(fruit.leaks(split)) == 0


def test_every_category_is_in_every_split(fruit):
    for number in range(20):
        counts = np.bincount(fruit.split[fruit.category == number], minlength=3)
        assert counts.min() >= 2
        assert counts[0] == pytest.approx(0.8 * counts.sum(), abs=3)


def test_supplied_grey_is_the_luma(fruit):
    assert fruit.grey_error.max() < 2


def test_scenes_have_5000_and_739_pairs(photographs, tmp_path, capsys):
    assert main([str(photographs / "dataset1"), "--size", "16", "--cache", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "kaggle-pairs, 5739 images" in out
    assert "5000 for training and validation, 739 for test" in out
    scenes = load_dataset(photographs / "dataset1", 16, cache=tmp_path)
    # 33, looked at side by side: one picture each, some before another background; in two pairs a metronome's
    # pendulum has moved.
    assert len(scenes.near_duplicates) <= 36
    leaks = [scenes.files[i].rsplit("/", 1)[1] for i in scenes.leaks(TEST)]
    assert {"image5010.jpg", "image5525.jpg", "image5659.jpg"} <= set(leaks)
    assert "test_color/image5010.jpg ~ train_color/image4280.jpg (test and train)" in out
    numbers = [int(scenes.files[i].removeprefix("test_color/image")[:4]) for i in scenes.indices(TEST)]
    assert numbers == list(range(5000, 5739))
