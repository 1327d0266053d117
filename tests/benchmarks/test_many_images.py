"""What the benchmark of large sets is made of: its files, and how memory is watched."""

import sys
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from PIL import Image

from benchmarks.process_memory import TooMuch, watched
from benchmarks.repeats import write_repeats

HOLDS = "import subprocess, sys, time; held = b'x' * int(sys.argv[1]); time.sleep(1)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS!r}, sys.argv[1]])"

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's figures of memory"
)


def test_the_memory_of_a_process_and_of_those_it_starts_is_seen_apart():
    own = watched([sys.executable, "-c", HOLDS, "80000000"], 1e9, {})
    assert own.private > 80e6
    assert own.together == own.private
    childs = watched([sys.executable, "-c", PARENT, "80000000"], 1e9, {})
    assert childs.private < 80e6 < childs.together


def test_what_takes_too_much_is_ended_and_what_fails_is_told_of():
    with pytest.raises(TooMuch, match="more than 0 GB"):
        watched([sys.executable, "-c", HOLDS, "80000000"], 50e6, {})
    with pytest.raises(CalledProcessError):
        watched([sys.executable, "-c", "raise SystemExit(3)"], 1e9, {})


def test_files_are_repeats_of_a_few_pictures_none_like_another_and_those_that_exist_stay(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("COLORIZATION_DATA", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert write_repeats(tmp_path, 5, 32) == "256 drawn scenes"
    files = sorted(tmp_path.iterdir())
    assert len({path.read_bytes() for path in files}) == len(files) == 5
    assert all(Image.open(path).size == (32, 32) for path in files)
    (tmp_path / "0000003.jpg").write_bytes(b"kept")
    write_repeats(tmp_path, 6, 32)
    assert (tmp_path / "0000003.jpg").read_bytes() == b"kept"
    assert len(list(tmp_path.iterdir())) == 6
