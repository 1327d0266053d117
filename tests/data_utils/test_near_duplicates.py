"""Files that show one picture are found, whatever was done to them; other pictures are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from data_utils import TEST, TRAIN, load_dataset, near_duplicates
from data_utils.alignment import agreement
from data_utils.decode_image import thumbnail
from data_utils.drawn.scenes import draw_scene
from data_utils.near_duplicates import groups_of, near_duplicate_pairs
from tests.support.image_folders import changed, kaggle_pairs, save

CHANGES = ("re-saved", "half size", "mirrored", "cropped", "brightened")
SIDE = 128


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [Image.fromarray(draw_scene(SIDE, np.random.default_rng([9, k]))) for k in range(100)]


def find(pictures: list[Image.Image]) -> set[tuple[int, int]]:
    thumbnails = np.stack([thumbnail(picture) for picture in pictures])
    pairs = near_duplicate_pairs(thumbnails, [str(k) for k in range(len(pictures))])
    return {(int(a), int(b)) for a, b in pairs}


def found_of(pictures: list[Image.Image], change: str) -> int:
    count = len(pictures)
    pairs = find([*pictures, *(changed(picture, change) for picture in pictures)])
    return sum((k, k + count) in pairs for k in range(count))


@pytest.mark.parametrize("change", CHANGES)
def test_changed_drawings_are_found(drawn, change):
    assert found_of(drawn, change) >= 95


def test_different_drawings_are_not_near(drawn):
    assert len(find(drawn)) <= 1


def test_a_copy_that_was_changed_in_several_ways_is_found(drawn):
    pictures = drawn[:40]
    again = [changed(changed(changed(p, "mirrored"), "cropped"), "re-saved") for p in pictures]
    pairs = find([*pictures, *again])
    assert sum((k, k + 40) in pairs for k in range(40)) >= 38


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["dataset1/train_color/*.jpg", "dataset2/ColorfulOriginal/*/*.jpg"])
def test_changed_photographs_are_found(photographs, kind, change):
    files = sorted(photographs.glob(kind))
    chosen = [files[k] for k in np.random.default_rng(3).choice(len(files), 100, replace=False)]
    pictures = []
    for file in chosen:
        with Image.open(file) as picture:
            pictures.append(picture.convert("RGB"))
    assert found_of(pictures, change) >= 95


def test_a_picture_that_is_there_many_times_costs_comparisons_by_its_images_not_by_their_pairs(
    drawn, monkeypatch
):
    compared = []

    def counted(first, second):
        compared.append(len(first))
        return agreement(first, second)

    monkeypatch.setattr(near_duplicates, "agreement", counted)
    monkeypatch.setattr(near_duplicates, "_ROWS", 64)
    copies = 20
    pictures = [
        changed(changed(picture, "brightened" if k % 2 else "re-saved"), CHANGES[k % len(CHANGES)])
        for k in range(copies)
        for picture in drawn[:15]
    ]
    thumbnails = np.stack([thumbnail(picture) for picture in pictures])
    thumbnails[:, 0, :2] = np.arange(len(pictures))[:, None] // [1, 256] % 256  # no two are the same
    pairs = near_duplicate_pairs(thumbnails, [str(k) for k in range(len(pictures))])
    groups = groups_of(len(pictures), pairs)
    assert len(np.unique(groups)) == 15
    assert np.array_equal(groups, np.arange(len(pictures)) % 15)
    every_pair = 15 * copies * (copies - 1) // 2
    assert sum(compared) <= 4 * len(pictures) < every_pair / 2
    assert len(pairs) < every_pair / 4


def test_alike_pictures_are_laid_over_a_few_others_only(monkeypatch):
    rng = np.random.default_rng(0)
    # One coarse picture with details of its own: every hash is like every other.
    coarse = np.asarray(Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)).resize((64, 64)), np.int16)
    grain = rng.integers(-40, 41, (60, 64, 64), np.int16)
    compared = []
    monkeypatch.setattr(
        near_duplicates, "agreement", lambda a, b: compared.append(len(a)) or np.zeros(len(a))
    )
    thumbnails = np.clip(coarse + grain, 0, 255).astype(np.uint8)
    assert len(near_duplicate_pairs(thumbnails, [str(k) for k in range(60)])) == 0
    assert sum(compared) <= 60 * near_duplicates.PER_IMAGE < 60 * 59 / 2


def test_flat_pictures_are_near_to_none():
    flat = [Image.new("RGB", (64, 64), (shade, shade, shade)) for shade in range(100, 110)]
    assert find(flat) == set()


def test_repeated_contents_are_paired_with_the_first_only():
    pictures = np.stack(
        [thumbnail(Image.fromarray(draw_scene(64, np.random.default_rng(k)))) for k in (1, 2)]
    )
    pairs = near_duplicate_pairs(pictures[[0, 1, 0, 0, 1]], ["a", "b", "a", "a", "b"])
    assert pairs.tolist() == [[0, 2], [0, 3], [1, 4]]


def test_no_images_have_no_pairs():
    assert near_duplicate_pairs(np.zeros((0, 64, 64), np.uint8), []).shape == (0, 2)


def test_groups_join_what_pairs_connect():
    assert groups_of(6, np.array([[0, 4], [2, 4], [1, 5]])).tolist() == [0, 1, 0, 3, 0, 1]
    assert groups_of(3, np.zeros((0, 2), int)).tolist() == [0, 1, 2]


def test_near_duplicates_are_on_one_side_of_a_derived_split(tmp_path, cache, drawn):
    for number, picture in enumerate(drawn[:30]):
        save(tmp_path / "set" / f"{number:02d}.png", picture)
        save(tmp_path / "set" / f"copy{number:02d}.jpg", changed(picture, "cropped"))
    images = load_dataset(tmp_path / "set", 16, cache=cache)
    assert len(images.near_duplicates) >= 29
    side = dict(zip(images.files, images.split.tolist(), strict=True))
    assert all(side[a] == side[b] for a, b in images.near_duplicates)
    assert len(images.leaks(TEST)) == 0


def test_given_test_images_that_are_in_training_are_named(tmp_path, cache, drawn):
    root = kaggle_pairs(tmp_path / "set", 0, 0)
    for number, picture in enumerate(drawn[:24]):
        side = "train" if number < 20 else "test"
        shown = changed(drawn[3], "mirrored") if number == 22 else picture
        save(root / f"{side}_color" / f"{number:02d}.png", shown)
        save(root / f"{side}_black" / f"{number:02d}.png", shown.convert("L"))
    images = load_dataset(root, 16, cache=cache)
    assert images.near_duplicates == (("train_color/03.png", "test_color/22.png"),)
    assert [images.files[i] for i in images.leaks(TEST)] == ["test_color/22.png"]
    assert len(images.leaks(TRAIN)) <= 1  # none where it fell to validation


def test_replicates_of_a_set_share_its_pixels(tmp_path, cache, drawn):
    for number, picture in enumerate(drawn[:40]):
        save(tmp_path / "set" / f"{number:02d}.png", picture)
    images = load_dataset(tmp_path / "set", 16, cache=cache)
    assert images.of_replicate(0, seed=5) is images
    other, rotated = images.of_replicate(1, seed=5), images.of_replicate(1, seed=5, rotated=True)
    assert other.colour is images.colour
    assert np.array_equal(other.indices(TEST), images.indices(TEST))
    assert not np.array_equal(rotated.indices(TEST), images.indices(TEST))
    assert len({images.fingerprint, other.fingerprint, rotated.fingerprint}) == 3
    assert other.fingerprint == images.of_replicate(1, seed=5).fingerprint
