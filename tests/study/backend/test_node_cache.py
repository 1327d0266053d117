"""What the driver prepared reaches every node: mapped where the node sees the cache, in pieces where it does not."""

import shutil

import numpy as np
import pytest
import ray

from data_utils.cache import cached_arrays
from data_utils.image_set import CacheEntry
from data_utils.load_dataset import load_dataset
from data_utils.mapped_set import pieces_of
from study.backend import node_cache
from study.backend.node_cache import bring_data, node_arrays, node_images
from tests.support.image_folders import colour_folder


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A node whose cache is its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "node"))


def test_what_a_node_sees_is_mapped_where_it_lies(tmp_path, node, monkeypatch):
    images = load_dataset("drawn:fruit", 16, cache=tmp_path / "shared")
    monkeypatch.setattr(node_cache, "_pieces", None)  # nothing travels
    again = node_images(images.source, "driver")
    assert again.fingerprint == images.fingerprint
    assert isinstance(again.colour.base, np.memmap)
    assert not (tmp_path / "node").exists()


def test_what_a_node_does_not_see_is_brought_there_once(tmp_path, node, monkeypatch):
    images = load_dataset("drawn:fruit", 16, cache=tmp_path / "driver")
    pieces = list(pieces_of(images.source))
    shutil.rmtree(tmp_path / "driver")
    travels = []
    monkeypatch.setattr(node_cache, "_pieces", lambda entry, _: travels.append(entry) or iter(pieces))
    for _ in range(2):
        assert np.array_equal(node_images(images.source, "driver").colour, images.colour)
    assert travels == [images.source]


@pytest.fixture
def fetched(tmp_path):
    """A set that the driver fetched from an address, and the folder there."""
    folder = colour_folder(tmp_path / "there", 12)
    images = load_dataset(f"file://{folder}", 32, cache=tmp_path / "driver")
    pieces = list(pieces_of(images.source))
    shutil.rmtree(tmp_path / "driver")
    return images.source, images.fingerprint, folder, pieces


def test_images_at_an_address_are_fetched_by_the_node(tmp_path, node, monkeypatch, fetched):
    source, fingerprint, _, _ = fetched
    monkeypatch.setattr(node_cache, "_pieces", None)  # nothing travels
    assert bring_data({}, [source], [], "driver") == ""
    assert node_images(source, "driver").fingerprint == fingerprint


def test_what_changed_at_the_address_or_is_gone_comes_from_the_driver(tmp_path, node, monkeypatch, fetched):
    source, fingerprint, folder, pieces = fetched
    monkeypatch.setattr(node_cache, "_pieces", lambda *_: iter(pieces))
    first = sorted(folder.rglob("*.*"))[0]
    first.unlink()
    assert bring_data({}, [source], [], "driver") == ""
    assert node_images(source, "driver").fingerprint == fingerprint
    shutil.rmtree(tmp_path / "node")
    shutil.rmtree(folder)
    note = bring_data({}, [source], [], "driver")
    assert "holds no images" in note
    assert note.endswith("The decoded images come from the driver's node instead.")
    assert node_images(source, "driver").fingerprint == fingerprint


def test_pieces_are_read_on_the_drivers_node(tmp_path, node):
    cached_arrays(tmp_path / "driver", "features", lambda: {"level0": np.arange(6, dtype=np.float16)})
    entry = CacheEntry(str(tmp_path / "driver"), "features", "features of fruit")
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        driver = ray.get_runtime_context().get_node_id()
        assert list(node_cache._pieces(entry, driver)) == list(pieces_of(entry))
    finally:
        ray.shutdown()
    assert node_arrays(entry, "unused")["level0"].tolist() == list(range(6))
