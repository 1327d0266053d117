import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys

import pytest
from safetensors import SafetensorError

from study.errors import UsageError
from study.storage.storage import Storage, StorageError
from tests.support.servers import BUCKET


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path):
    if request.param == "folder":
        return Storage(str(tmp_path / "shared"))
    request.getfixturevalue("s3_server")
    return Storage(f"s3://{BUCKET}/{tmp_path.name}")


@pytest.fixture
def checkpoint(tmp_path):
    def make(text):
        folder = tmp_path / "checkpoint"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "optimizer").mkdir(parents=True)
        (folder / "state.json").write_text(text)
        (folder / "optimizer" / "moments.bin").write_bytes(text.encode() * 1000)
        return folder

    return make


def test_newest_version_comes_back_and_older_ones_go(storage, checkpoint, tmp_path):
    for text in ("one", "two", "three"):
        storage.save("scenes-unet/7", checkpoint(text))
    found = storage.fetch("scenes-unet/7", tmp_path / "restored")
    assert (found / "state.json").read_text() == "three"
    assert (found / "optimizer" / "moments.bin").read_bytes() == b"three" * 1000
    assert sum("state.json" in name for name in storage._store.names("")) == 1


def test_files_are_staged_where_they_are_going_and_nothing_of_a_killed_writer_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    storage = Storage(str(tmp_path / "shared"))
    left = tmp_path / "shared" / "trial" / ".writing-killed"
    left.mkdir(parents=True)
    with storage.staging("trial") as folder:
        assert folder.is_relative_to(tmp_path / "shared" / "trial")
        (folder / "weights").write_text("new")
        assert storage.keys("") == []
        storage.put_file("trial/weights", folder / "weights")
    assert storage.keys("") == ["trial/weights"]
    assert [path.name for path in (tmp_path / "shared" / "trial").iterdir()] == ["weights"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named_while_files_are_staged(tmp_path, error):
    storage = Storage(str(tmp_path))
    with pytest.raises(StorageError, match="the disk is full; free some space"), storage.staging("trial"):
        raise error
    with pytest.raises(ValueError, match="no disk"), storage.staging("trial"):
        raise ValueError("no disk")


def test_absent_keys_are_none(storage, tmp_path):
    assert storage.fetch("nothing", tmp_path / "a") is None
    assert storage.get_file("nothing", tmp_path / "b") is None
    assert storage.keys("") == []
    storage.delete("nothing")


def test_keys_and_delete_go_by_prefix(storage, checkpoint, tmp_path):
    storage.save("scenes-unet/7", checkpoint("a"))
    storage.save("scenes-unet/70", checkpoint("b"))
    storage.put_file("scenes-unet/best.json", checkpoint("c") / "state.json")
    assert storage.keys("") == ["scenes-unet/7", "scenes-unet/70", "scenes-unet/best.json"]
    assert storage.keys("scenes-unet/7") == ["scenes-unet/7"]
    storage.delete("scenes-unet/7")
    assert storage.keys("scenes-unet") == ["scenes-unet/70", "scenes-unet/best.json"]
    storage.delete("scenes-unet")
    assert storage.keys("") == []


def test_a_file_is_replaced(storage, checkpoint, tmp_path):
    for text in ("old", "new"):
        storage.put_file("winner.json", checkpoint(text) / "state.json")
    assert storage.get_file("winner.json", tmp_path / "restored").read_text() == "new"


def test_another_process_reads_what_this_one_saved(storage, checkpoint, tmp_path):
    storage.save("trial", checkpoint("shared"))
    carried = tmp_path / "storage.pickle"
    carried.write_bytes(pickle.dumps(storage))
    code = (
        "import pathlib, pickle, sys; store = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes());"
        "print((store.fetch('trial', pathlib.Path(sys.argv[2])) / 'state.json').read_text())"
    )
    command = [sys.executable, "-c", code, carried, tmp_path / "restored"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "shared\n"


def test_a_save_killed_in_the_middle_leaves_the_last_good_version(storage, checkpoint, tmp_path):
    storage.save("trial", checkpoint("good"))
    code = """
import os, pathlib, pickle, signal, sys
storage = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
if storage.uri.startswith("s3"):
    import s3fs
    s3fs.S3FileSystem.pipe_file = die  # the marker
else:
    pathlib.Path.rename = die
storage.save("trial", pathlib.Path(sys.argv[2]))
"""
    carried = tmp_path / "storage.pickle"
    carried.write_bytes(pickle.dumps(storage))
    died = subprocess.run([sys.executable, "-c", code, carried, checkpoint("half")], check=False)
    assert died.returncode == -signal.SIGKILL
    half = storage._store.names("trial/000002") + list((tmp_path / "shared").rglob("*/state.json"))
    assert len(half) == 2, "the killed writer left nothing to ignore"
    assert (storage.fetch("trial", tmp_path / "a") / "state.json").read_text() == "good"
    assert storage.keys("") == ["trial"]
    storage.save("trial", checkpoint("next"))
    assert (storage.fetch("trial", tmp_path / "b") / "state.json").read_text() == "next"
    assert sum("state.json" in name for name in storage._store.names("")) == 1


def test_a_full_disk_is_one_sentence_and_keeps_the_last_good_version(checkpoint, tmp_path):
    disk = tmp_path / "small"
    disk.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root and mount")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=False).returncode != 0:
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        storage = Storage(str(disk))
        storage.save("trial", checkpoint("good"))
        with pytest.raises(
            StorageError, match=r"^Cannot save 'trial' in storage /.*: the disk is full; .*\.$"
        ):
            storage.save("trial", checkpoint("x" * 100))
        assert (storage.fetch("trial", tmp_path / "a") / "state.json").read_text() == "good"
        assert {path.name for path in (disk / "trial").iterdir()} == {"000001"}
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_store_that_does_not_answer_is_one_sentence(s3_server):
    Storage(f"s3://{BUCKET}/away").check()
    code = "from study.storage.storage import Storage; Storage('s3://studies/away').check()"
    away = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    failed = subprocess.run(
        [sys.executable, "-c", code], env=away, check=False, capture_output=True, text=True
    )
    last = failed.stderr.strip().splitlines()[-1]
    assert last.startswith("study.storage.storage.StorageError: Cannot write 'probe-")
    assert "s3://studies/away" in last


def test_a_bucket_that_does_not_exist_is_named(s3_server, checkpoint):
    with pytest.raises(StorageError, match="s3://absent/runs"):
        Storage("s3://absent/runs").save("trial", checkpoint("x"))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://user:hunter2@bucket/prefix", "s3://bucket/prefix must not carry credentials"),
        ("s3://bucket/prefix?secret=hunter2", "must not carry credentials"),
        ("nosuch://bucket/prefix", "nosuch://bucket/prefix"),
    ],
)
def test_bad_addresses_are_refused_without_repeating_secrets(uri, words):
    with pytest.raises(UsageError, match=words) as refusal:
        Storage(uri)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("key", ["../outside", "/absolute", "a//b", "trial/000001", "a/.writing-b"])
def test_keys_that_would_leave_the_store_are_refused(key, tmp_path):
    with pytest.raises(ValueError, match="cannot be a storage key"):
        Storage(str(tmp_path)).fetch(key, tmp_path / "into")


def test_a_relative_folder_and_a_file_address_mean_one_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Storage("runs").uri == Storage(f"file://{tmp_path}/runs").uri == str(tmp_path / "runs")
