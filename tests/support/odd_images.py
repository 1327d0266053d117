"""Fifty files that a folder of photographs may hold, made by code."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.support.image_folders import picture

Maker = Callable[[Path], object]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    path: Path, width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b""
) -> None:
    """A PNG from its raw, already filtered rows."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(rows, 1))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + extra + body + png_chunk(b"IEND", b""))


def flat_png(path: Path, width: int, height: int, depth: int = 8, colour: int = 2) -> None:
    """A PNG of one colour, however large, without holding it."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + b"\x80" * (width * channels * depth // 8)
    squeeze = zlib.compressobj(1)
    packed = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b""))


def saved(kind: str, image: Image.Image | None = None, **options: object) -> Maker:
    return lambda path: (image or picture(1, 40, 30)).save(path, kind, **options)


def with_exif(values: dict[int, object], kind: str = "JPEG") -> Maker:
    def make(path: Path) -> None:
        exif = Image.Exif()
        exif.update(values)
        picture(1, 40, 30).save(path, kind, exif=exif)

    return make


def raw_exif(content: bytes) -> Maker:
    return saved("JPEG", exif=b"Exif\0\0" + content)


def one_tag(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """The content of an EXIF segment with one entry."""
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI", tag, kind, count) + value + bytes(4)


def cut(kind: str, share: float) -> Maker:
    def make(path: Path) -> None:
        buffer = io.BytesIO()
        picture(1, 80, 60).save(buffer, kind)
        path.write_bytes(buffer.getvalue()[: int(share * len(buffer.getvalue()))])

    return make


def long_text(path: Path) -> None:
    info = PngInfo()
    info.add_text("Description", "words " * 500_000, zip=True)
    picture(1, 40, 30).save(path, "PNG", pnginfo=info)


def many_words(path: Path) -> None:
    info = PngInfo()
    for number in range(40):
        info.add_text(f"key{number}", "x" * 500_000, zip=True)
    picture(1, 40, 30).save(path, "PNG", pnginfo=info)


def premultiplied(path: Path) -> None:
    """A TIFF of grey with associated alpha, which Pillow opens as La."""
    pixels = np.full((30, 40, 2), 90, np.uint8)
    tags = [(256, 4, 40), (257, 4, 30), (259, 3, 1), (262, 3, 1), (273, 4, 0), (277, 3, 2), (278, 4, 30)]
    tags += [(279, 4, pixels.nbytes), (284, 3, 1), (338, 3, 1)]
    bits_at = 8 + 2 + 12 * (len(tags) + 1) + 4
    tags = sorted([*tags, (258, 3, None)], key=lambda tag: tag[0])
    body = struct.pack("<H", len(tags))
    for tag, kind, value in tags:
        if tag == 258:
            body += struct.pack("<HHIHH", tag, 3, 2, 8, 8)
        else:
            where = bits_at if tag == 273 else value
            body += struct.pack("<HHII", tag, kind, 1, where)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0) + pixels.tobytes())


def turned_tiff(path: Path) -> None:
    picture(1, 40, 30).save(path, "TIFF", tiffinfo={274: 6, 270: "A description"})


def described(kind: str) -> Maker:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    return saved(kind, exif=exif, dpi=(300, 300), xmp=xmp, comment=b"A comment")


def multi_picture(path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Phone"
    picture(1, 40, 30).save(path, "MPO", save_all=True, append_images=[picture(2, 20, 15)], exif=exif)


def palette_without_colours(path: Path) -> None:
    png(path, 40, 30, 8, 3, (b"\0" + bytes(range(40))) * 30)


def wrong_checksum(path: Path) -> None:
    picture(1, 40, 30).save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[30] ^= 0xFF
    path.write_bytes(content)


def damaged_profile(path: Path) -> None:
    picture(1, 40, 30).save(path, "JPEG", icc_profile=b"no profile at all" * 20)


# Name (whose suffix matters) and how the file is made; all of them are to end in a picture or in one sentence.
ODD: dict[str, Maker] = {
    "empty.jpg": lambda p: p.touch(),
    "text.jpg": lambda p: p.write_text("this is no picture"),
    "page.png": lambda p: p.write_text("<!DOCTYPE html><html></html>"),
    "postscript.jpg": lambda p: p.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "noise.webp": lambda p: p.write_bytes(np.random.default_rng(0).bytes(5000)),
    "half.jpg": cut("JPEG", 0.5),
    "almost.jpg": cut("JPEG", 0.98),
    "half.png": cut("PNG", 0.5),
    "half.tif": cut("TIFF", 0.5),
    "half.webp": cut("WEBP", 0.5),
    "half.gif": cut("GIF", 0.5),
    "folder.jpg": lambda p: p.mkdir(),
    "pipe.jpg": os.mkfifo,
    "loop.jpg": lambda p: p.symlink_to(p.name),
    "dangling.jpg": lambda p: p.symlink_to("nowhere"),
    "phone.mpo": multi_picture,
    "phone.jpg": multi_picture,
    "described.jpg": described("JPEG"),
    "described.webp": described("WEBP"),
    "text-orientation.jpg": raw_exif(one_tag(0x0112, 2, 2, b"6\0\0\0")),
    "zero-orientation.jpg": raw_exif(one_tag(0x0112, 5, 1, struct.pack("<I", 26)) + bytes(8)),
    "list-orientation.jpg": with_exif({0x0112: (6, 6)}),
    "large-orientation.jpg": with_exif({0x0112: 77}),
    "turned.jpg": with_exif({0x0112: 6, 0x010F: "Camera"}),
    "turned.png": with_exif({0x0112: 8}, "PNG"),
    "turned.webp": with_exif({0x0112: 3}, "WEBP"),
    "turned.tif": turned_tiff,
    "long-exif.jpg": with_exif({0x0112: 6, 0x927C: b"\x07" * 65_400}),
    "corrupt-exif.jpg": raw_exif(b"MM\0*\0\0\xff\xff garbage"),
    "endless-exif.jpg": raw_exif(one_tag(0x8769, 4, 1, struct.pack("<I", 8))),
    "damaged-profile.jpg": damaged_profile,
    "cmyk.jpg": saved("JPEG", picture(1, 40, 30).convert("CMYK")),
    "lab.tif": saved("TIFF", Image.new("LAB", (40, 30))),
    "float.tif": saved("TIFF", Image.new("F", (40, 30), 0.5)),
    "deep.png": saved("PNG", Image.fromarray(np.full((30, 40), 40_000, np.uint16))),
    "wide.tif": saved("TIFF", Image.new("I", (40, 30), 70_000)),
    "premultiplied.tif": premultiplied,
    "alpha.png": saved("PNG", picture(1, 40, 30).convert("RGBA")),
    "grey-alpha.png": saved("PNG", Image.new("LA", (40, 30), (90, 128))),
    "no-palette.png": palette_without_colours,
    "palette-alpha.png": saved("PNG", picture(1, 40, 30).quantize(9), transparency=bytes([0, 128, 255])),
    "long-text.png": long_text,
    "many-texts.png": many_words,
    "wrong-checksum.png": wrong_checksum,
    "moving.gif": saved("GIF", save_all=True, append_images=[picture(2, 40, 30)]),
    "moving.png": saved("PNG", save_all=True, append_images=[picture(2, 40, 30)]),
    "one-pixel.png": saved("PNG", Image.new("RGB", (1, 1))),
    "line.jpg": saved("JPEG", Image.new("RGB", (40_000, 9))),
    "gigapixels.png": lambda p: png(p, 100_000, 100_000, 8, 2, b"\0"),
    "x" * 248 + ".jpg": saved("JPEG"),
}
