"""A preparation that is killed goes on where it stopped, and ends in what an undisturbed one gives."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from data_utils import (
    CacheError,
    RefusedFiles,
    array_file,
    decode_dataset,
    decode_entry,
    decoded_shards,
    load_dataset,
)
from data_utils.array_file import ArrayFile
from tests.support.image_folders import colour_folder


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(decoded_shards, "SHARD", 4)


class Decoder:
    """Counts what it decodes, and is killed after some images."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decoded: list[str] = []
        self.lives = 10**9
        self._decode = decode_entry.decode_entry
        monkeypatch.setattr(decode_entry, "decode_entry", self)

    def __call__(self, entry, size):
        if len(self.decoded) >= self.lives:
            raise KeyboardInterrupt
        self.decoded.append(entry.colour.name)
        return self._decode(entry, size)


def folders(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.is_dir()]


def test_killed_three_times_and_finished(tmp_path, cache, monkeypatch, small_shards):
    root = colour_folder(tmp_path / "set", 30)
    undisturbed = load_dataset(root, 16, cache=tmp_path / "other")
    decoder = Decoder(monkeypatch)
    for lives in (5, 14, 20):
        decoder.lives = lives
        with pytest.raises(KeyboardInterrupt):
            load_dataset(root, 16, cache=cache, workers=1)
    decoder.lives = 10**9
    told: list[tuple[int, int]] = []
    images = load_dataset(root, 16, cache=cache, workers=1, progress=lambda *done: told.append(done))
    assert images.fingerprint == undisturbed.fingerprint
    assert len(decoder.decoded) <= 30 + 3 * 4 + 3 * decode_dataset.AHEAD
    assert told[0][0] > 16  # what the earlier ones had done counts
    assert told[-1] == (30, 30)
    assert len(folders(cache)) == 1


def test_images_that_were_decoded_before_a_refusal_are_not_decoded_again(
    tmp_path, cache, monkeypatch, small_shards
):
    root = colour_folder(tmp_path / "set", 30)
    (root / "photo07.png").write_text("text")
    decoder = Decoder(monkeypatch)
    with pytest.raises(RefusedFiles):
        load_dataset(root, 16, cache=cache)
    decoder.decoded.clear()
    images = load_dataset(root, 16, cache=cache, skip_bad=True)
    assert sorted(decoder.decoded) == [f"photo{k:02d}.png" for k in (4, 5, 6, 7)]
    assert len(images) == 29
    fresh = load_dataset(root, 16, cache=tmp_path / "other", skip_bad=True)
    assert images.fingerprint == fresh.fingerprint
    assert len(folders(cache)) == 1


def test_a_change_of_the_files_begins_anew(tmp_path, cache, monkeypatch, small_shards):
    root = colour_folder(tmp_path / "set", 20)
    decoder = Decoder(monkeypatch)
    decoder.lives = 9
    with pytest.raises(KeyboardInterrupt):
        load_dataset(root, 16, cache=cache)
    (root / "photo00.png").unlink()
    decoder.lives = 10**9
    decoder.decoded.clear()
    assert len(load_dataset(root, 16, cache=cache)) == 19
    assert len(decoder.decoded) == 19


def test_a_disk_with_too_little_room_is_told_before_anything_is_decoded(tmp_path, cache, monkeypatch):
    root = colour_folder(tmp_path / "set", 20)
    decoder = Decoder(monkeypatch)
    monkeypatch.setattr(decoded_shards.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    with pytest.raises(CacheError, match=r"need 0\.0 GB in .*cache, where 0\.0 GB are free; make room"):
        load_dataset(root, 16, cache=cache)
    assert decoder.decoded == []


def test_rows_are_written_in_any_order_and_left_out(tmp_path):
    rows = np.random.default_rng(0).integers(0, 256, (10, 3, 5), np.uint8)
    file = ArrayFile(tmp_path / "rows.npy", rows.shape)
    file.write(6, rows[6:])
    file.write(0, rows[:6])
    assert np.array_equal(file.read(), rows)
    assert not ArrayFile(tmp_path / "rows.npy", rows.shape).begun
    file.keep(np.array([1, 2, 9]))
    assert np.array_equal(file.read(), rows[[1, 2, 9]])
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]
    assert ArrayFile(tmp_path / "rows.npy", rows.shape).begun


def test_rows_that_are_left_out_may_be_more_than_are_held_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(array_file, "_BLOCK", 15 * 4)
    rows = np.random.default_rng(0).integers(0, 256, (1200, 3, 5), np.uint8)
    file = ArrayFile(tmp_path / "rows.npy", rows.shape)
    file.write(0, rows)
    kept = np.flatnonzero(np.arange(1200) % 5 > 0)
    file.keep(kept)
    assert np.array_equal(file.read(), rows[kept])
