"""A dataset is mapped where it lies, and brought in pieces to where it does not."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest

from data_utils import CacheError, load_dataset, mapped_set
from data_utils.mapped_set import open_set, pieces_of, receive_set
from tests.support.image_folders import colour_folder


@pytest.fixture
def images(tmp_path, cache):
    return load_dataset(colour_folder(tmp_path / "set", 20), 16, name="mine", cache=cache)


def test_the_place_of_a_set_is_small_and_enough_to_map_it(images, tmp_path):
    sent = pickle.dumps(images.source)
    assert len(sent) < 1000
    again = open_set(pickle.loads(sent), tmp_path / "elsewhere")
    assert again is not None
    assert (again.name, again.fingerprint, again.files) == ("mine", images.fingerprint, images.files)
    assert np.array_equal(again.colour, images.colour)
    assert isinstance(again.colour.base, np.memmap)


def test_a_set_travels_in_pieces_once(images, tmp_path, cache, monkeypatch):
    monkeypatch.setattr(mapped_set, "PIECE", 1000)
    pieces = list(pieces_of(images.source))
    assert len(pieces) > 10
    entry = cache / images.source.key
    stamps = {path.name: path.stat().st_mtime_ns for path in entry.iterdir()}
    shutil.rmtree(cache)
    there = tmp_path / "there"
    assert open_set(images.source, there) is None
    arrived = receive_set(images.source, iter(pieces), there)
    assert arrived.fingerprint == images.fingerprint
    assert np.array_equal(arrived.colour, load_dataset(tmp_path / "set", 16, cache=cache).colour)

    written = (there / images.source.key / "colour.npy").stat().st_mtime_ns
    assert written == stamps["colour.npy"]

    def never():
        raise AssertionError("taken a second time")
        yield

    assert receive_set(images.source, never(), there).fingerprint == images.fingerprint


def test_what_did_not_arrive_whole_is_told(images, tmp_path, cache):
    pieces = list(pieces_of(images.source))
    shutil.rmtree(cache)
    with pytest.raises(CacheError, match="arrays of mine did not arrive whole"):
        receive_set(images.source, pieces[:-2], tmp_path / "there")


def test_a_cache_that_was_emptied_is_told(images, cache):
    shutil.rmtree(cache)
    with pytest.raises(CacheError, match=r"arrays of mine are not in .* any more"):
        next(pieces_of(images.source))
