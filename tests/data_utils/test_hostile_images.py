"""One table of files that real and hostile folders hold, each with its one answer."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_utils import RefusedFiles, RefusedImage, decode_colour, decode_full, load_dataset, printable
from tests.support.image_folders import colour_folder, picture, save


def header_of_png(path: Path, width: int, height: int) -> None:
    """A few bytes that claim to be a huge picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0")))


def truncated(path: Path, kind: str) -> None:
    save(path, picture(1, 64, 64), format=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text_bomb(path: Path) -> None:
    """A PNG whose compressed comment unpacks to far more than any comment."""
    save(path, picture(1))
    content = path.read_bytes()
    body = b"zTXt" + b"Comment\0\0" + zlib.compress(b"x" * 80_000_000)
    bomb = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(content[:33] + bomb + content[33:])


def loop(path: Path) -> None:
    path.symlink_to(path.name)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "zero bytes": (lambda p: p.touch(), "it is empty"),
    "text": (lambda p: p.write_text("this is no picture"), "not an image in a known format"),
    "PostScript, which would start a program": (
        lambda p: p.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        "not an image in a known format",
    ),
    "html of a failed download": (
        lambda p: p.write_text("<!DOCTYPE html>"),
        "not an image in a known format",
    ),
    "random bytes": (lambda p: p.write_bytes(bytes(range(256)) * 9), "not an image in a known format"),
    "truncated JPEG": (lambda p: truncated(p, "JPEG"), "cannot be decoded"),
    "truncated PNG": (lambda p: truncated(p, "PNG"), "cannot be decoded"),
    "truncated TIFF": (lambda p: truncated(p, "TIFF"), "not an image|cannot be decoded"),
    "JPEG signature alone": (lambda p: p.write_bytes(b"\xff\xd8\xff\xe0"), "not an image|cannot be decoded"),
    "bomb, 90 megapixels": (lambda p: header_of_png(p, 10_000, 9_000), "pixels"),
    "bomb, 10 gigapixels": (lambda p: header_of_png(p, 100_000, 100_000), "pixels"),
    "bomb in a comment": (text_bomb, "not an image|cannot be decoded"),
    "no width": (lambda p: header_of_png(p, 0, 5), "not an image|cannot be decoded"),
    "one pixel": (lambda p: save(p, Image.new("RGB", (1, 1)), format="PNG"), "1×1 pixels are too few"),
    "a line": (lambda p: save(p, Image.new("RGB", (4000, 2)), format="PNG"), "4000×2 pixels are too few"),
    "float": (lambda p: save(p, Image.new("F", (16, 16)), format="TIFF"), "kind F have no defined white"),
    "32-bit": (lambda p: save(p, Image.new("I", (16, 16), 70_000), format="TIFF"), "32-bit pixels"),
    "Lab": (lambda p: save(p, Image.new("LAB", (16, 16)), format="TIFF"), "kind LAB have no defined white"),
    "folder": (lambda p: p.mkdir(), "not a regular file"),
    "named pipe": (os.mkfifo, "not a regular file"),
    "link in a loop": (loop, "cannot be opened"),
    "dangling link": (lambda p: p.symlink_to("nowhere"), "cannot be opened"),
    "missing": (lambda p: None, "cannot be opened"),
}

CONVERTED: dict[str, Callable[[Path], object]] = {
    "PNG called JPEG": lambda p: save(p, picture(1), format="PNG"),
    "progressive JPEG": lambda p: save(p, picture(1), format="JPEG", progressive=True),
    "CMYK JPEG": lambda p: save(p, picture(1).convert("CMYK"), format="JPEG"),
    "grey JPEG": lambda p: save(p, picture(1).convert("L"), format="JPEG"),
    "palette": lambda p: save(p, picture(1).quantize(7), format="PNG"),
    "1-bit": lambda p: save(p, picture(1).convert("1"), format="PNG"),
    "16-bit PNG": lambda p: save(p, Image.fromarray(np.full((16, 16), 40_000, np.uint16)), format="PNG"),
    "16-bit PGM": lambda p: p.write_bytes(b"P5 16 16 65535\n" + b"\x9c\x40" * 256),
    "alpha": lambda p: save(p, picture(1).convert("RGBA"), format="PNG"),
    "animated GIF": lambda p: save(p, picture(1), format="GIF", save_all=True, append_images=[picture(2)]),
    "BMP": lambda p: save(p, picture(1), format="BMP"),
    "WebP": lambda p: save(p, picture(1), format="WEBP"),
    "smallest allowed": lambda p: save(p, Image.new("RGB", (8, 9)), format="PNG"),
    "long and thin": lambda p: save(p, Image.new("RGB", (3000, 8)), format="PNG"),
}


@pytest.mark.filterwarnings("ignore:Image size")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    make, reason = REFUSED[name]
    path = tmp_path / "hostile.jpg"
    make(path)
    with pytest.raises(RefusedImage, match=rf"hostile\.jpg is refused: .*({reason})") as caught:
        decode_colour(path, 16)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CONVERTED)
def test_converted(tmp_path, name):
    path = tmp_path / "unusual.jpg"
    CONVERTED[name](path)
    assert decode_colour(path, 16).shape == (16, 16, 3)


def test_tiny_images_can_still_be_decoded_in_full(tmp_path):
    path = save(tmp_path / "dot.png", Image.new("RGB", (1, 1), "red"))
    assert decode_full(path).tolist() == [[[255, 0, 0]]]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path):
    path = save(tmp_path / "secret.png", picture(1))
    path.chmod(0)
    with pytest.raises(RefusedImage, match="may not be read"):
        decode_colour(path, 16)


def test_unreadable_file_as_the_system_reports_it(tmp_path, monkeypatch):
    path = save(tmp_path / "secret.png", picture(1))

    def forbidden(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", forbidden)
    with pytest.raises(RefusedImage, match="it may not be read; check its permissions"):
        decode_colour(path, 16)


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.png",
        b"line\nbreak.png",
        b"\x1b[31mred.png",
        b"[bold]x[red].png",
        "ünïcode 写真.png".encode(),
        b"x" * 250 + b".png",
    ],
    ids=["latin-1", "line break", "escape", "markup", "utf-8", "long"],
)
def test_names_of_every_kind_are_loaded_and_printed(tmp_path, cache, name):
    root = colour_folder(tmp_path / "images")
    path = root / os.fsdecode(name)
    try:
        save(path, picture(77))
    except OSError:
        pytest.skip("this file system refuses the name")
    images = load_dataset(root, 16, cache=cache)
    assert printable(path.name) in images.files
    assert all(file.isprintable() and file.encode("utf-8") for file in images.files)
    path.write_bytes(b"no picture any more")
    with pytest.raises(RefusedFiles) as caught:
        load_dataset(root, 16, cache=cache)
    first, *listed = str(caught.value).split("\n")
    assert len(listed) == 1
    assert first.isprintable()
    assert listed[0].isprintable()
