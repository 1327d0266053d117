import io
import tarfile

import pytest
from PIL import Image

from data_utils.shard_images import UnusableShard
from data_utils.tar_shards import unpack


def shard(**members):
    """A tar file of these members (`__` in a name stands for a slash, `_` for a dot)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream


def picture(colour):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(stream, "PNG")
    return stream.getvalue()


def names(paths, folder):
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def test_images_are_named_after_shard_and_key_and_other_members_stay(tmp_path):
    members = {
        "a_png": picture("red"),
        "a_txt": b"a rose",
        "sub__b_PNG": picture("blue"),
        "c_seg_png": picture("red"),
    }
    found = unpack(shard(**members), tmp_path, "000")
    assert names(found, tmp_path) == names(tmp_path.rglob("*.*"), tmp_path) == ["000-a.png", "000-sub-b.png"]
    with Image.open(tmp_path / "000-sub-b.png") as image:
        assert image.getpixel((0, 0)) == (0, 0, 255)


def test_where_every_image_has_a_number_its_category_is_a_folder(tmp_path):
    members = {"a_cls": b"3", "a_png": picture("red"), "b_png": picture("blue"), "b_cls": b" 12\n"}
    assert names(unpack(shard(**members), tmp_path, "0"), tmp_path) == ["12/0-b.png", "3/0-a.png"]


@pytest.mark.parametrize("label", [b"", b"../../etc", b"rose", b"\xff"])
def test_what_is_no_number_is_no_category(tmp_path, label):
    members = {"a_cls": label, "a_png": picture("red")}
    assert names(unpack(shard(**members), tmp_path / "in", "0"), tmp_path) == ["in/0-a.png"]


def test_nothing_is_written_outside_its_folder(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("../up.png", "/tmp/root.png"):
            member = tarfile.TarInfo(name)
            member.size = len(picture("red"))
            tar.addfile(member, io.BytesIO(picture("red")))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    stream.seek(0)
    unpack(stream, tmp_path / "in", "0")
    assert names(tmp_path.rglob("*.png"), tmp_path) == ["in/0-tmp-root.png", "in/0-up.png"]


def test_a_shard_may_be_compressed(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("a.png")
        member.size = len(picture("red"))
        tar.addfile(member, io.BytesIO(picture("red")))
    stream.seek(0)
    assert names(unpack(stream, tmp_path, "0"), tmp_path) == ["0-a.png"]


@pytest.mark.parametrize("content", [b"no tar file at all", b""])
def test_what_is_no_tar_file_is_refused(tmp_path, content):
    with pytest.raises(UnusableShard, match="no tar file"):
        unpack(io.BytesIO(content), tmp_path, "0")
