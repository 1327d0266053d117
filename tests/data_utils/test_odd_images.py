"""Fifty odd files: each ends in a picture or in one sentence, without a word from the image library."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_utils import DataError, RefusedImage, decode_colour, open_image
from data_utils.photographs import read_photograph, side_by_side, target_name, write_photograph
from data_utils.prepare import main
from tests.support.image_folders import colour_folder, picture
from tests.support.odd_images import ODD, flat_png

ROOT = Path(__file__).resolve().parents[2]
# Everything else in ODD is a picture.
REFUSED = {
    *(
        "empty.jpg",
        "text.jpg",
        "page.png",
        "postscript.jpg",
        "noise.webp",
        "half.jpg",
        "almost.jpg",
        "half.png",
    ),
    *("half.tif", "half.webp", "half.gif", "folder.jpg", "pipe.jpg", "loop.jpg", "dangling.jpg", "lab.tif"),
    *("float.tif", "wide.tif", "wrong-checksum.png", "gigapixels.png", "no-palette.png"),
}
TOO_SMALL = {"one-pixel.png"}  # for a dataset; it can be coloured


def make(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    ODD[name](folder / name)
    return folder / name


def recolour(path: Path, output: Path) -> Path:
    photograph = read_photograph(path)
    target = target_name(output / path.name, photograph.form)
    write_photograph(target, photograph, np.zeros((*photograph.grey.shape, 3), np.uint8))
    return target


def test_there_are_fifty():
    assert len(ODD) == 50


@pytest.mark.parametrize("name", ODD)
def test_each_photograph_is_written_or_refused_in_one_sentence(tmp_path, name):
    path = make(tmp_path / "in", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if name in REFUSED:
            with pytest.raises(RefusedImage) as caught:
                read_photograph(path)
            assert "\n" not in str(caught.value)
        else:
            target = recolour(path, tmp_path / "out")
            with Image.open(target) as written:
                written.load()
                assert written.getexif().get(0x0112, 1) == 1
    assert all(p.name[0] != "." for p in (tmp_path / "out").glob("*"))


def test_prepare_takes_all_of_them_in_one_go(tmp_path, capfd):
    root = colour_folder(tmp_path / "set", 12)
    for name in ODD:
        make(root, name)
    refused = REFUSED - {"folder.jpg"} | TOO_SMALL
    options = [str(root), "--size", "16", "--cache", str(tmp_path / "cache")]
    assert main(options) == 1
    out, err = capfd.readouterr()
    assert out == ""
    listed = [line.split(":")[0].strip() for line in err.splitlines()[1:]]
    assert sorted(listed) == sorted(refused)
    assert main([*options, "--skip-bad-images"]) == 0
    out, err = capfd.readouterr()
    assert f"refused files, left out: {len(refused)}" in out
    assert err == ""


def test_what_a_photograph_says_of_itself_is_kept(tmp_path):
    for name in ("described.jpg", "described.webp", "turned.jpg", "phone.mpo", "turned.tif"):
        make(tmp_path / "in", name)
    with Image.open(recolour(tmp_path / "in" / "described.jpg", tmp_path / "out")) as written:
        assert written.info["dpi"] == (300, 300)
        assert b"xmpmeta" in written.info["xmp"]
        assert written.info["comment"] == b"A comment"
        assert written.getexif()[0x010F] == "Camera"
    with Image.open(recolour(tmp_path / "in" / "described.webp", tmp_path / "out")) as written:
        assert b"xmpmeta" in written.info["xmp"]
        assert written.getexif()[0x010F] == "Camera"
    with Image.open(recolour(tmp_path / "in" / "turned.jpg", tmp_path / "out")) as written:
        assert written.size == (30, 40)
        assert written.getexif()[0x010F] == "Camera"
    target = recolour(tmp_path / "in" / "phone.mpo", tmp_path / "out")
    assert target.name == "phone.jpg"
    with Image.open(target) as written:
        assert (written.format, written.getexif()[0x010F]) == ("JPEG", "Phone")
    with Image.open(recolour(tmp_path / "in" / "turned.tif", tmp_path / "out")) as written:
        assert written.size == (30, 40)
        assert written.getexif()[0x010E] == "A description"


def test_texts_and_resolution_of_a_png_are_kept(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Title", "Harbour, 1931")
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    picture(1).save(tmp_path / "a.png", pnginfo=info, dpi=(72, 72))
    with Image.open(recolour(tmp_path / "a.png", tmp_path / "out")) as written:
        assert written.text["Title"] == "Harbour, 1931"
        assert "xmpmeta" in written.text["XML:com.adobe.xmp"]
        assert round(written.info["dpi"][0]) == 72


def test_an_exif_that_does_not_fit_is_said_to_be_lost(tmp_path):
    photograph = read_photograph(make(tmp_path, "described.jpg"))
    assert photograph.lost == ()
    info = Image.Exif()
    info[0x927C] = b"\x07" * 70_000
    picture(1).save(tmp_path / "long.png", exif=info)
    assert read_photograph(tmp_path / "long.png").lost == ()
    long = read_photograph(tmp_path / "long.png")
    assert replace(long, form="JPEG").lost == ("EXIF",)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file/out.jpg", "File exists|Not a directory"),
        ("y" * 260 + ".jpg", "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, target, reason):
    (tmp_path / "file").touch()
    photograph = read_photograph(make(tmp_path, "described.jpg"))
    with pytest.raises(DataError, match=rf"cannot be written: ({reason})\.") as caught:
        write_photograph(tmp_path / target, photograph, np.zeros((*photograph.grey.shape, 3), np.uint8))
    assert "\n" not in str(caught.value)


def test_a_comparison_that_is_too_wide_for_its_format_is_one_sentence(tmp_path):
    Image.new("L", (40_000, 9)).save(tmp_path / "wide.jpg")
    photograph = read_photograph(tmp_path / "wide.jpg")
    both, pixels = side_by_side(photograph, np.zeros((9, 40_000, 3), np.uint8))
    with pytest.raises(DataError, match="80000×9 pixels are more than JPEG allows"):
        write_photograph(tmp_path / "out.jpg", both, pixels)


@pytest.mark.parametrize("read", [read_photograph, lambda path: decode_colour(path, 16)])
def test_a_file_that_takes_too_long_is_refused(tmp_path, monkeypatch, read):
    monkeypatch.setattr(open_image, "TIME_LIMIT", -1.0)
    picture(1).save(tmp_path / "slow.jpg")
    with pytest.raises(RefusedImage, match=r"it takes more than .* seconds to decode"):
        read(tmp_path / "slow.jpg")


def test_heic_is_read_or_the_package_is_named(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    picture(1, 64, 64).save(tmp_path / "photo.heic", quality=90)
    assert decode_colour(tmp_path / "photo.heic", 16).shape == (16, 16, 3)
    without = tuple(name for name in open_image.FORMATS if name != "HEIF")
    monkeypatch.setattr(open_image, "_known_formats", lambda: without)
    with pytest.raises(RefusedImage, match=r"HEIC file, which the package pillow-heif reads"):
        decode_colour(tmp_path / "photo.heic", 16)


MEASURE = """
import sys
from pathlib import Path
from data_utils.decode_entry import decode_entry
from data_utils.layouts import Entry
from data_utils.open_image import RefusedImage
from data_utils.photographs import read_photograph

def peak():
    # Not getrusage, whose figure a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

before = peak()
try:
    if sys.argv[2] == "prepare":
        decode_entry(Entry(Path(sys.argv[1])), 64)
    else:
        read_photograph(Path(sys.argv[1]))
except RefusedImage as error:
    print(error)
print(peak() - before)
"""


def peak_kilobytes(path: Path, how: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(run.stdout.split()[-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's figures of memory")
@pytest.mark.parametrize(
    ("width", "height", "depth", "colour"),
    [(79_999_999, 1, 8, 2), (8_900, 8_900, 16, 0), (8_900, 8_900, 8, 6), (8_900, 8_900, 8, 2)],
    ids=["one row", "16-bit", "alpha", "RGB"],
)
@pytest.mark.parametrize("how", ["prepare", "colorize"])
def test_the_largest_files_take_a_gigabyte_at_most(tmp_path, width, height, depth, colour, how):
    flat_png(tmp_path / "large.png", width, height, depth, colour)
    assert peak_kilobytes(tmp_path / "large.png", how) < 1_000_000
