from __future__ import annotations

import os
import pickle
import shutil

import numpy as np
import pytest

from data_utils import (
    TEST,
    TRAIN,
    VALIDATION,
    DataError,
    RefusedFiles,
    decode_colour,
    decode_dataset,
    decode_entry,
    decode_grey,
    load_dataset,
)
from data_utils.entry_files import stamp
from tests.support.image_folders import colour_folder, kaggle_pairs, natural_color, picture, save


def test_arrays_are_the_decoded_files(tmp_path, cache):
    root = natural_color(tmp_path / "set")
    images = load_dataset(root, 16, cache=cache)
    assert (images.name, images.layout, images.size, len(images)) == ("set", "natural-color", 16, 20)
    assert images.categories == ("Apple", "Pear")
    for index, file in enumerate(images.files):
        assert np.array_equal(images.colour[index], decode_colour(root / file, 16))
        grey = root / "Gray" / images.categories[images.category[index]] / file.rsplit("/", 1)[1]
        assert np.array_equal(images.grey[index], decode_grey(grey, 16))
    assert (images.colour.dtype, images.grey.dtype, images.split.dtype) == (np.uint8, np.uint8, np.uint8)
    assert (images.category.dtype, images.grey_error.dtype) == (np.int16, np.float32)
    assert not images.drawn


def test_grey_is_derived_where_none_is_supplied(tmp_path, cache):
    images = load_dataset(colour_folder(tmp_path / "set"), 16, name="mine", cache=cache)
    luma = images.colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images.grey - luma).max() <= 1
    assert not images.grey_error.any()
    assert images.name == "mine"
    assert set(images.category) == {-1}
    assert images.categories == ()


def test_second_load_decodes_nothing(tmp_path, cache, monkeypatch):
    root = colour_folder(tmp_path / "set")
    first = load_dataset(root, 16, cache=cache)
    monkeypatch.setattr(decode_entry, "decode_entry", None)
    second = load_dataset(root, 16, cache=cache)
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.colour, second.colour)


def change_pixels(root):
    save(root / "photo03.png", picture(99))


def remove(root):
    (root / "photo03.png").unlink()


def rename(root):
    (root / "photo03.png").rename(root / "renamed.png")


def add(root):
    save(root / "added.png", picture(98))


@pytest.mark.parametrize("change", [change_pixels, remove, rename, add])
def test_any_change_of_files_is_seen(tmp_path, cache, change):
    root = colour_folder(tmp_path / "set")
    before = load_dataset(root, 16, cache=cache)
    change(root)
    after = load_dataset(root, 16, cache=cache)
    fresh = load_dataset(root, 16, cache=cache / "fresh")
    assert before.fingerprint != after.fingerprint
    assert after.fingerprint == fresh.fingerprint


def test_size_and_code_version_make_new_entries(tmp_path, cache, monkeypatch):
    root = colour_folder(tmp_path / "set")
    assert load_dataset(root, 16, cache=cache).size == 16
    assert load_dataset(root, 24, cache=cache).size == 24
    entries = len([path for path in cache.iterdir() if path.is_dir()])
    monkeypatch.setattr(decode_dataset, "CODE_VERSION", decode_dataset.CODE_VERSION + 1)
    load_dataset(root, 16, cache=cache)
    assert len([path for path in cache.iterdir() if path.is_dir()]) == entries + 1


def test_fingerprint_is_of_the_content_not_of_the_place(tmp_path, cache):
    root = colour_folder(tmp_path / "set")
    shutil.copytree(root, tmp_path / "copy")
    copy = load_dataset(tmp_path / "copy", 16, cache=cache, workers=1)
    assert copy.fingerprint == load_dataset(root, 16, cache=cache, workers=3).fingerprint


def spoil(root):
    (root / "photo01.png").write_bytes(b"")
    (root / "photo04.png").write_text("text")


def test_all_refused_files_are_listed(tmp_path, cache):
    root = colour_folder(tmp_path / "set", 20)
    spoil(root)
    with pytest.raises(RefusedFiles) as caught:
        load_dataset(root, 16, cache=cache)
    first, *listed = str(caught.value).splitlines()
    assert "2 of 20 images" in first
    assert "--skip-bad-images" in first
    assert [line.split(":")[0].strip() for line in listed] == ["photo01.png", "photo04.png"]


def test_bad_images_can_be_skipped_and_are_recorded(tmp_path, cache):
    root = colour_folder(tmp_path / "set", 20)
    spoil(root)
    images = load_dataset(root, 16, skip_bad=True, cache=cache)
    assert [item.file for item in images.refused] == ["photo01.png", "photo04.png"]
    assert len(images) == 18


def test_skipping_also_leaves_out_files_without_partner(tmp_path, cache):
    root = natural_color(tmp_path / "set")
    (root / "Gray" / "Pear" / "pear3.png").unlink()
    with pytest.raises(DataError, match=r"pear3\.png"):
        load_dataset(root, 16, cache=cache)
    images = load_dataset(root, 16, skip_bad=True, cache=cache)
    assert [item.file for item in images.refused] == ["ColorfulOriginal/Pear/pear3.png"]


def test_repaired_permissions_are_seen(tmp_path, cache):
    root = colour_folder(tmp_path / "set")
    path = root / "photo02.png"
    path.chmod(0o600)
    before = stamp(path)
    path.chmod(0o644)
    assert stamp(path) != before


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, cache, monkeypatch):
    root = colour_folder(tmp_path / "set")
    decode = decode_entry.decode_entry

    def decode_and_touch(entry, size):
        decoded = decode(entry, size)
        if entry.colour.name == "photo05.png":
            os.utime(entry.colour, ns=(1, 1))
        return decoded

    monkeypatch.setattr(decode_entry, "decode_entry", decode_and_touch)
    with pytest.raises(RefusedFiles, match=r"photo05\.png: it changed while it was being read"):
        load_dataset(root, 16, cache=cache)


def test_pairs_of_other_resolution_are_one_frame_and_of_other_shape_refused(tmp_path, cache):
    root = natural_color(tmp_path / "set")
    save(root / "Gray" / "Pear" / "pear1.png", picture(101).resize((48, 48)).convert("L"))
    images = load_dataset(root, 16, cache=cache)
    assert images.grey_error.max() < 10
    save(root / "Gray" / "Pear" / "pear1.png", picture(101).resize((48, 30)).convert("L"))
    with pytest.raises(RefusedFiles, match=r"pear1\.png: its grey partner pear1\.png is 48×30, it is 24×24"):
        load_dataset(root, 16, cache=cache)


def test_given_test_split_is_kept(tmp_path, cache):
    images = load_dataset(kaggle_pairs(tmp_path / "set"), 16, cache=cache)
    assert [len(images.indices(side)) for side in (TRAIN, VALIDATION, TEST)] == [18, 2, 4]
    assert all(images.files[i].startswith("test_color/") for i in images.indices(TEST))


def test_identical_images_are_found_and_stay_together(tmp_path, cache):
    root = colour_folder(tmp_path / "set", 30)
    for copy in range(4):
        shutil.copy(root / f"photo{copy:02d}.png", root / f"zcopy{copy:02d}.png")
    images = load_dataset(root, 16, cache=cache)
    assert images.duplicates == tuple((f"photo{c:02d}.png", f"zcopy{c:02d}.png") for c in range(4))
    side = dict(zip(images.files, images.split.tolist(), strict=True))
    assert all(side[a] == side[b] for a, b in images.duplicates)


def test_a_training_image_that_is_also_in_the_given_test_set_is_reported(tmp_path, cache):
    root = kaggle_pairs(tmp_path / "set")
    for side in ("color", "black"):
        shutil.copy(root / f"test_{side}" / "image0021.png", root / f"train_{side}" / "image0002.png")
    images = load_dataset(root, 16, cache=cache)
    assert images.duplicates == (("train_color/image0002.png", "test_color/image0021.png"),)
    assert len(images.indices(TEST)) == 4


@pytest.mark.parametrize("count", [1, 2, 4])
def test_too_small_to_split(tmp_path, cache, count):
    with pytest.raises(DataError, match=rf"too small to split: {count} usable images give \d train, 0 valid"):
        load_dataset(colour_folder(tmp_path / "set", count), 16, cache=cache)
    assert not any(path.is_dir() for path in cache.iterdir())


def test_smallest_dataset_that_splits(tmp_path, cache):
    images = load_dataset(colour_folder(tmp_path / "set", 5), 16, cache=cache)
    assert sorted(np.bincount(images.split).tolist()) == [1, 1, 3]


@pytest.mark.parametrize("size", [0, -3, 100_000])
def test_impossible_sizes(tmp_path, cache, size):
    with pytest.raises(DataError, match=rf"image size of {size} is impossible; give a side"):
        load_dataset(colour_folder(tmp_path / "set"), size, cache=cache)


def test_unknown_drawn_set(cache):
    with pytest.raises(DataError, match=r"no embedded dataset drawn:cats; use drawn:scenes or drawn:fruit"):
        load_dataset("drawn:cats", 16, cache=cache)


def test_limited_subsets_are_deterministic_and_nested(tmp_path, cache):
    images = load_dataset(colour_folder(tmp_path / "set", 40), 16, cache=cache)
    few, more = images.limited(TRAIN, 5, 1), images.limited(TRAIN, 9, 1)
    assert np.array_equal(few, images.limited(TRAIN, 5, 1))
    assert set(few) < set(more) < set(images.indices(TRAIN))
    assert not np.array_equal(few, images.limited(TRAIN, 5, 2))
    assert np.array_equal(images.limited(TRAIN, None, 1), images.indices(TRAIN))
    assert np.array_equal(images.limited(TRAIN, 1000, 1), images.indices(TRAIN))


def test_it_travels_without_copies(tmp_path, cache):
    images = load_dataset(colour_folder(tmp_path / "set"), 32, cache=cache)
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(images, protocol=5, buffer_callback=buffers.append)
    assert len(content) < 10_000
    arrived = pickle.loads(content, buffers=buffers)
    assert np.array_equal(arrived.colour, images.colour)
    assert arrived.fingerprint == images.fingerprint
