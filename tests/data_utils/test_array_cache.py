from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_utils import CacheError, cached_arrays, default_cache


def numbers() -> dict[str, np.ndarray]:
    return {"squares": np.arange(50) ** 2, "empty": np.zeros((0, 3), np.uint8)}


def never() -> dict[str, np.ndarray]:
    raise AssertionError("built a second time")


def test_built_once_then_mapped_read_only(cache):
    cached_arrays(cache, "key", numbers)
    arrays = cached_arrays(cache, "key", never)
    assert np.array_equal(arrays["squares"], numbers()["squares"])
    assert arrays["empty"].shape == (0, 3)
    assert not arrays["squares"].flags.writeable
    assert isinstance(arrays["squares"].base, np.memmap)


def test_keys_are_apart(cache):
    cached_arrays(cache, "one", numbers)
    other = cached_arrays(cache, "two", lambda: {"x": np.ones(3)})
    assert set(other) == {"x"}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, Path.unlink, lambda path: path.write_text("{}")])
@pytest.mark.parametrize("name", ["squares.npy", "checksums.json"])
def test_a_damaged_entry_is_rebuilt(cache, damage, name):
    cached_arrays(cache, "key", numbers)
    damage(cache / "key" / name)
    rebuilt = cached_arrays(cache, "key", numbers)
    assert np.array_equal(rebuilt["squares"], numbers()["squares"])
    assert np.array_equal(cached_arrays(cache, "key", never)["squares"], numbers()["squares"])


def test_a_failing_build_leaves_no_entry(cache):
    with pytest.raises(AssertionError, match="second time"):
        cached_arrays(cache, "key", never)
    assert not (cache / "key").exists()
    assert np.array_equal(cached_arrays(cache, "key", numbers)["squares"], numbers()["squares"])


def test_what_a_killed_process_left_is_replaced(cache):
    (cache / "key.unfinished").mkdir(parents=True)
    (cache / "key.unfinished" / "squares.npy").write_bytes(b"half")
    assert len(cached_arrays(cache, "key", numbers)["squares"]) == 50
    assert not (cache / "key.unfinished").exists()


def test_objects_are_never_stored(cache):
    with pytest.raises(ValueError, match="allow_pickle"):
        cached_arrays(cache, "key", lambda: {"bad": np.array([object()])})
    assert not (cache / "key").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CacheError, match=r"file/cache cannot be written \(Not a directory\); make room"):
        cached_arrays(tmp_path / "file" / "cache", "key", numbers)


def test_a_full_disk_is_named_and_leaves_nothing(cache, monkeypatch):
    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(CacheError, match="No space left on device"):
        cached_arrays(cache, "key", numbers)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


PROCESS = """
import sys, time
from pathlib import Path
import numpy as np
from data_utils.cache import cached_arrays

def build():
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    time.sleep(0.5)
    return {"x": np.arange(100_000)}

arrays = cached_arrays(Path(sys.argv[1]), "key", build)
assert arrays["x"].sum() == 4999950000
"""


def test_two_processes_at_once_make_one_entry(tmp_path, cache):
    log, root = tmp_path / "log", Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", PROCESS, str(cache), str(log)]
    running = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [process.wait(120) for process in running] == [0, 0]
    assert log.read_text() == "built\n"


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "colorization-study"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "colorization-study"
