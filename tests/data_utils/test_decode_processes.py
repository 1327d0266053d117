"""Many images are decoded in processes of their own; whoever kills the driver loses no finished shard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_utils import (
    CacheError,
    RefusedFiles,
    decode_dataset,
    decode_processes,
    decoded_shards,
    load_dataset,
)
from tests.support.image_folders import colour_folder

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import sys
from pathlib import Path
from data_utils import decode_dataset, decoded_shards, load_dataset
decode_dataset.MANY, decoded_shards.SHARD = 1, 4
root, cache = map(Path, sys.argv[1:])
images = load_dataset(root, 16, cache=cache, workers=2, progress=lambda done, total: print(done, flush=True))
print(images.fingerprint)
"""


@pytest.fixture
def in_processes(monkeypatch):
    monkeypatch.setattr(decode_dataset, "MANY", 1)
    monkeypatch.setattr(decoded_shards, "SHARD", 16)


def driver(root: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(root), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_driver_that_is_killed_three_times_finishes_what_it_began(tmp_path, cache):
    root = colour_folder(tmp_path / "set", 60)
    undisturbed = load_dataset(root, 16, cache=tmp_path / "other")
    seen = [0]
    for _ in range(3):
        with driver(root, cache) as one:
            assert one.stdout is not None
            seen.append(int(one.stdout.readline()))
            os.kill(one.pid, signal.SIGKILL)
    with driver(root, cache) as one:
        lines = one.communicate()[0].split()
    seen.append(int(lines[0]))
    assert seen == sorted(set(seen))
    assert lines[-2:] == ["60", undisturbed.fingerprint]


def test_processes_give_what_threads_give_and_name_what_they_refuse(tmp_path, cache, in_processes):
    root = colour_folder(tmp_path / "set", 30)
    name = os.fsdecode(b"odd \xff.png")
    (root / name).write_text("text")
    with pytest.raises(RefusedFiles, match=r"1 of 31 images .* cannot be used") as refused:
        load_dataset(root, 16, cache=cache, workers=2)
    (root / name).unlink()
    assert "odd " in str(refused.value)
    found = load_dataset(root, 16, cache=cache, workers=2)
    threads = load_dataset(root, 16, cache=tmp_path / "other", workers=1)
    assert found.fingerprint == threads.fingerprint
    assert np.array_equal(found.colour, threads.colour)
    assert np.array_equal(found.grey, threads.grey)


def test_a_process_that_ends_early_is_told_of_and_what_is_done_stays(
    tmp_path, cache, monkeypatch, in_processes
):
    root = colour_folder(tmp_path / "set", 48)
    answer = decode_processes._answer

    def killed(worker, message):
        if message.startswith("[32,"):
            worker.kill()
        return answer(worker, message)

    monkeypatch.setattr(decode_processes, "_answer", killed)
    with pytest.raises(CacheError, match=r"A process that decodes images ended before its work \(code -9\)"):
        load_dataset(root, 16, cache=cache, workers=2)
    monkeypatch.undo()
    told = []
    load_dataset(root, 16, cache=cache, workers=1, progress=lambda *done: told.append(done))
    assert told == [] or told[-1] == (48, 48)


def test_an_interrupted_driver_does_not_wait_for_its_processes(tmp_path, cache, in_processes):
    root = colour_folder(tmp_path / "set", 48)

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(root, 16, cache=cache, workers=2, progress=interrupted)
    told = []
    load_dataset(root, 16, cache=cache, workers=1, progress=lambda *done: told.append(done))
    assert told[0][0] == 32
