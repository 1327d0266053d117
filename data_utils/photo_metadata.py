"""What a photograph says of itself beside its pixels: read from one file, written into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from data_utils.open_image import ORIENTATION

_EXIF_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
_JPEG_SEGMENT = 65_533 - len(b"Exif\0\0")  # bytes; JPEG has no larger pieces, and Pillow splits only some
_TIFF_DESCRIPTIVE = (
    *(
        0x010D,
        0x010E,
        0x010F,
        0x0110,
        0x0131,
        0x0132,
        0x013B,
        0x8298,
    ),  # names, device, software, date, rights
    *(0x8769, 0x8825),  # the folders of EXIF and GPS
)  # all other tags of a TIFF file describe how its pixels lie there
_PNG_XMP = "XML:com.adobe.xmp"
_PNG_RESERVED = frozenset({_PNG_XMP, "Raw profile type exif", "Raw profile type xmp"})


_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Metadata:
    """What is kept of a file.

    Attributes:
        exif: Without orientation, which is applied to the pixels; empty if there is none.
        xmp: An XMP packet; empty if there is none.
        dpi: Resolution across and down.
        comment: Of a JPEG or GIF.
        text: Of a PNG: keyword and text.
        lost: What of it could not be read, in words.
    """

    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    text: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()


def read_metadata(image: Image.Image, form: str | None) -> Metadata:
    """Read what an upright image says of itself; a part that is damaged is left out and named in ``lost``."""
    lost: list[str] = []

    def attempt(name: str, read: Callable[[], _Part], otherwise: _Part) -> _Part:
        try:
            return read()
        except Exception:  # Pillow's readers raise almost anything on malformed metadata
            lost.append(name)
            return otherwise

    return Metadata(
        attempt("EXIF", lambda: _exif(image, form), b""),
        attempt("XMP", lambda: _xmp(image), b""),
        attempt("resolution", lambda: _dpi(image), None),
        attempt("comment", lambda: _comment(image), b""),
        attempt("text", lambda: _text(image), ()),
        tuple(lost),
    )


def save_options(metadata: Metadata, form: str) -> dict[str, Any]:
    """Keyword arguments for ``Image.save`` that write as much of it as a format can hold."""
    options: dict[str, Any] = {}
    if (
        metadata.exif
        and form in _EXIF_FORMATS
        and not (form == "JPEG" and len(metadata.exif) > _JPEG_SEGMENT)
    ):
        options["exif"] = metadata.exif
    if metadata.dpi and form != "WEBP":
        options["dpi"] = metadata.dpi
    if metadata.comment and form == "JPEG" and len(metadata.comment) <= _JPEG_SEGMENT:
        options["comment"] = metadata.comment
    if metadata.xmp and (form == "WEBP" or (form == "JPEG" and len(metadata.xmp) < _JPEG_SEGMENT - 32)):
        options["xmp"] = metadata.xmp
    if form == "TIFF" and metadata.xmp:
        options["tiffinfo"] = {0x02BC: metadata.xmp}
    if form == "PNG":
        options["pnginfo"] = _png_info(metadata)
    return options


def not_kept(metadata: Metadata, form: str) -> tuple[str, ...]:
    """What of it a format cannot hold or could not be read, in words."""
    options = save_options(metadata, form)
    lost = list(metadata.lost)
    if metadata.exif and "exif" not in options:
        lost.append("EXIF")
    if metadata.xmp and not {"xmp", "tiffinfo", "pnginfo"} & options.keys():
        lost.append("XMP")
    if metadata.comment and not {"comment", "pnginfo"} & options.keys():
        lost.append("comment")
    return tuple(lost)


def _exif(image: Image.Image, form: str | None) -> bytes:
    exif = image.getexif()
    if form == "TIFF":
        chosen = Image.Exif()
        for tag in _TIFF_DESCRIPTIVE:
            value = exif.get_ifd(tag) if tag in (0x8769, 0x8825) else exif.get(tag)
            if value:
                chosen[tag] = value
        return chosen.tobytes() if len(chosen) else b""
    stored = image.info.get("exif", b"")
    if stored.removeprefix(b"Exif\0\0") == Image.Exif().tobytes().removeprefix(b"Exif\0\0"):
        return b""  # there was the orientation alone
    if stored and not len(exif):
        raise ValueError("EXIF without an entry that can be read")
    if ORIENTATION not in exif:
        return stored if isinstance(stored, bytes) else b""
    del exif[ORIENTATION]
    return exif.tobytes() if len(exif) else b""


def _xmp(image: Image.Image) -> bytes:
    packet = image.info.get("xmp") or image.info.get(_PNG_XMP) or b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    across, down = (float(value) for value in image.info["dpi"]) if "dpi" in image.info else (0.0, 0.0)
    return (across, down) if 0 < across < 1e6 and 0 < down < 1e6 else None


def _comment(image: Image.Image) -> bytes:
    comment = image.info.get("comment", b"")
    return comment.encode() if isinstance(comment, str) else bytes(comment)


def _text(image: Image.Image) -> tuple[tuple[str, str], ...]:
    found = getattr(image, "text", {})
    return tuple((key, str(value)) for key, value in found.items() if key not in _PNG_RESERVED)


def _png_info(metadata: Metadata) -> PngInfo:
    info = PngInfo()
    for key, value in metadata.text:
        info.add_itxt(key, value)
    if metadata.comment:
        info.add_itxt("Comment", metadata.comment.decode("utf-8", "replace"))
    if metadata.xmp:
        info.add_itxt(_PNG_XMP, metadata.xmp.decode("utf-8", "replace"))
    return info
