"""Images that lie at an address: in a real S3-compatible store, or on this disk as one."""

import os
import tarfile

import pytest

from data_utils import fetched_folder as module
from data_utils.errors import CacheError, DataError
from data_utils.fetched_folder import fetched_folder
from data_utils.load_dataset import load_dataset
from tests.support.image_folders import picture, save
from tests.support.servers import BUCKET


@pytest.fixture
def there(tmp_path):
    """A folder of twelve images in two categories, and its address."""
    folder = tmp_path / "fruit"
    for number in range(12):
        save(folder / ("apple" if number % 2 else "pear") / f"{number}.png", picture(number, 32))
    return folder, f"file://{folder}"


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_set_is_that_of_the_folder(tmp_path, there):
    folder, address = there
    here, fetched = (load_dataset(source, 32, cache=tmp_path / "cache") for source in (folder, address))
    assert fetched.fingerprint == here.fingerprint
    assert (fetched.name, fetched.root, fetched.layout) == ("fruit", address, "colour-folder")


def test_only_what_is_new_or_changed_is_fetched_and_what_is_gone_is_removed(tmp_path, there):
    folder, address = there
    (folder / "notes.txt").write_text("no image")
    save(folder / ".hidden" / "13.png", picture(13, 32))
    told = []
    fetched = fetched_folder(address, tmp_path / "cache", lambda *one: told.append(one))
    assert told == [(0, 12)]
    assert len(names(fetched)) == 12
    kept = (fetched / "apple" / "3.png").stat()

    assert fetched_folder(address, tmp_path / "cache", lambda *_: pytest.fail("nothing is new")) == fetched
    (folder / "apple" / "1.png").unlink()
    save(folder / "pear" / "0.png", picture(99, 32))
    os.utime(folder / "pear" / "0.png", (1, 1))
    save(folder / "pear" / "new.png", picture(14, 32))
    told.clear()
    fetched_folder(address, tmp_path / "cache", lambda *one: told.append(one))
    assert told == [(10, 12)]
    assert names(fetched) == [name for name in names(folder) if name.endswith(".png") and name[0] != "."]
    assert (fetched / "pear" / "0.png").read_bytes() == (folder / "pear" / "0.png").read_bytes()
    assert (fetched / "apple" / "3.png").stat() == kept


def test_an_interrupted_fetch_is_continued(tmp_path, there, monkeypatch):
    _, address = there
    monkeypatch.setattr(module, "AT_ONCE", 5)

    def interrupted(done, _total):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched_folder(address, tmp_path / "cache", interrupted)
    told = []
    fetched = fetched_folder(address, tmp_path / "cache", lambda *one: told.append(one))
    assert told == [(10, 12)]
    assert len(names(fetched)) == 12
    assert sorted(path.name for path in fetched.parent.iterdir()) == ["images", "lock"]


@pytest.mark.parametrize("numbers", ["{000..001}", "{0..1}"])
def test_shards_are_unpacked_once_and_again_when_they_change(tmp_path, there, numbers):
    folder, _ = there
    files = sorted(folder.rglob("*.png"))

    def write(number, some):
        with tarfile.open(tmp_path / f"train-{number:0{(len(numbers) - 4) // 2}d}.tar", "w") as tar:
            for path in some:
                tar.add(path, path.name)

    write(0, files[:6])
    write(1, files[6:])
    address = f"webdataset:{tmp_path}/train-{numbers}.tar"
    images = load_dataset(address, 32, cache=tmp_path / "cache")
    assert (len(images), images.name, images.root) == (12, "train", address)
    fetched = fetched_folder(address, tmp_path / "cache")
    before = (fetched / f"000000-{files[0].name}").stat()
    write(1, files[6:11])
    fetched_folder(address, tmp_path / "cache")
    assert len(names(fetched)) == 11
    assert (fetched / f"000000-{files[0].name}").stat() == before


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://key:secret@bucket/fruit", "The address s3://bucket/fruit must not carry credentials"),
        ("s3://bucket/fruit?endpoint=x", "must not carry credentials or options"),
        ("nosuchscheme://bucket/fruit", "The address nosuchscheme://bucket/fruit cannot be used"),
        ("webdataset:", "names no shard"),
        ("parquet:", "names no shard; write parquet:ADDRESS.parquet"),
        ("webdataset:/x-{0..99999999}.tar", "names more than"),
        ("webdataset:/nowhere/x-{0..3}.tar", "cannot be fetched"),
        ("file:///nowhere", "file:///nowhere holds no images"),
    ],
)
def test_an_address_that_is_of_no_use_is_refused_in_a_sentence(tmp_path, address, reason):
    with pytest.raises(DataError, match=reason) as refusal:
        load_dataset(address, 32, cache=tmp_path)
    assert "secret" not in str(refusal.value)


def test_a_damaged_shard_is_named(tmp_path):
    (tmp_path / "x-0.tar").write_bytes(b"no tar file")
    with pytest.raises(DataError, match=r"x-0\.tar is damaged or no tar file"):
        load_dataset(f"webdataset:{tmp_path}/x-{{0..0}}.tar", 32, cache=tmp_path / "cache")


def test_a_full_disk_is_the_caches_fault(tmp_path, there, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "utime", full)
    with pytest.raises(CacheError, match="No space left on device"):
        fetched_folder(there[1], tmp_path / "cache")


def test_images_in_an_object_store_are_fetched(tmp_path, there, s3_server):
    import s3fs

    folder, _ = there
    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.put(str(folder), f"{BUCKET}/sets/fruit", recursive=True)
    images = load_dataset(f"s3://{BUCKET}/sets/fruit", 32, cache=tmp_path / "cache")
    assert images.fingerprint == load_dataset(folder, 32, cache=tmp_path / "cache").fingerprint
    store.rm(f"{BUCKET}/sets/fruit/apple/1.png")
    assert len(load_dataset(f"s3://{BUCKET}/sets/fruit", 32, cache=tmp_path / "cache")) == 11
    with pytest.raises(DataError, match=f"s3://{BUCKET}/sets/frui holds no images"):
        load_dataset(f"s3://{BUCKET}/sets/frui", 32, cache=tmp_path / "cache")
    with pytest.raises(DataError, match="s3://no-such-bucket/fruit"):
        load_dataset("s3://no-such-bucket/fruit", 32, cache=tmp_path / "cache")
