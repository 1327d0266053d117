"""Image files as uint8 arrays; every kind of file has one defined answer, a picture or a refusal.

========================  ===========================================================================
file                      answer
========================  ===========================================================================
8-bit RGB, progressive    as stored
mode L, 1-bit             three equal channels where colour is wanted
palette                   its colours
alpha, transparent index  over white
CMYK, YCbCr               converted to RGB by Pillow; embedded ICC profiles are not applied
16-bit                    scaled to 8 bits (65535 is white)
float, 32-bit, Lab        refused: no white is defined
animated                  first frame
EXIF orientation          applied
wrong extension           the content decides
more than MAX_PIXELS      refused before anything is decoded
shorter side < MIN_SIDE   refused, except by ``decode_full``
anything else             refused: empty, truncated, not an image, unreadable, not a regular file
========================  ===========================================================================
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from data_utils.errors import DataError, printable

MAX_PIXELS = 80_000_000  # below the bound at which Pillow itself starts to warn
MIN_SIDE = 8  # pixels; smaller files are icons and tracking pixels
COLOURLESS_SPREAD = 4.0  # grey levels between the highest and lowest channel of an image, on average
# Pillow knows more formats, among them ones that start other programs (EPS); photographs do not need them.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM")
WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})


class RefusedImage(DataError):
    """An image cannot be used.

    Attributes:
        path: the file.
        reason: why, without the file's name.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{printable(path)} is refused: {reason}.")
        self.path, self.reason = path, reason


def decode_colour(path: str | Path, size: int) -> np.ndarray:
    """Decode a file as ``size × size × 3`` uint8 RGB, centre-cropped to a square.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(square(load_image(Path(path), "RGB"), size, Path(path)))


def decode_grey(path: str | Path, size: int) -> np.ndarray:
    """Decode a file as ``size × size`` uint8 grey (BT.601 luma of colour), centre-cropped to a square.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(square(load_image(Path(path), "L"), size, Path(path)))


def decode_full(path: str | Path) -> np.ndarray:
    """Decode a file as ``H × W × 3`` uint8 RGB at its own resolution.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(load_image(Path(path), "RGB"))


def load_image(path: Path, mode: str) -> Image.Image:
    """Open, bound, decode, flatten and rotate one file.

    Args:
        path: the file.
        mode: ``RGB`` or ``L`` (BT.601 luma).

    Raises:
        RefusedImage: with the reason in one phrase.
    """
    with _refusals(path):
        return _flatten(path, open_image(path)).convert(mode)


def open_image(path: Path) -> Image.Image:
    """Open, bound, decode and rotate one file; mode, format and profile stay as stored.

    Raises:
        RefusedImage: with the reason in one phrase.
    """
    _require_regular_file(path)
    with _refusals(path), Image.open(path, formats=_known_formats()) as image:
        if image.width * image.height > MAX_PIXELS:
            raise RefusedImage(path, f"{image.width}×{image.height} pixels are more than {MAX_PIXELS}")
        image.load()
        orientation_applied = ImageOps.exif_transpose(image)
        orientation_applied.format = image.format
        return orientation_applied


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn whatever Pillow raises on a file into a refusal with its reason."""
    try:
        yield
    except RefusedImage:
        raise
    except UnidentifiedImageError as error:
        raise RefusedImage(path, "it is not an image in a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedImage(path, f"it has more than {MAX_PIXELS} pixels") from error
    except PermissionError as error:
        raise RefusedImage(path, "it may not be read; check its permissions") from error
    except Exception as error:  # Pillow's readers raise almost anything on malformed content
        raise RefusedImage(path, f"it cannot be decoded ({_one_line(error)})") from error


def square(image: Image.Image, size: int, path: Path) -> Image.Image:
    """Cut the central square and resize it (Lanczos) to ``size × size``.

    Raises:
        RefusedImage: the shorter side is below ``MIN_SIDE``.
    """
    side = min(image.size)
    if side < MIN_SIDE:
        raise RefusedImage(
            path, f"{image.width}×{image.height} pixels are too few (at least {MIN_SIDE} a side)"
        )
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped first: the ``box`` of ``resize`` would let the filter see pixels outside of it.
    centre = image.crop((left, top, left + side, top + side))
    return centre.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this build of Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _require_regular_file(path: Path) -> None:
    """Refuse what Pillow must not even open: a named pipe would block it for ever."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise RefusedImage(path, f"it cannot be opened ({_one_line(error)})") from error
    if not stat.S_ISREG(status.st_mode):
        raise RefusedImage(path, "it is not a regular file")
    if status.st_size == 0:
        raise RefusedImage(path, "it is empty (0 bytes)")


def _flatten(path: Path, image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit L or RGB, transparency over white."""
    if image.mode in WIDE_MODES:
        return _from_16_bit(path, image)
    if image.mode in ("F", "LAB"):
        raise RefusedImage(
            path, f"pixels of kind {image.mode} have no defined white; save it with 8 or 16 bits"
        )
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _from_16_bit(path: Path, image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise RefusedImage(path, "32-bit pixels have no defined white; save it with 8 or 16 bits")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _one_line(error: Exception) -> str:
    """The reason in an exception, without file names that it may repeat."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(" ".join(str(text).split()).rstrip("."))


def is_colourless(path: Path) -> bool:
    """Whether a file is grey, or nearly; False where it cannot be decoded."""
    try:
        small = load_image(path, "RGB").resize((32, 32))
    except RefusedImage:
        return False
    return float(colour_spread(np.asarray(small))) < COLOURLESS_SPREAD


def colour_spread(pixels: np.ndarray) -> np.ndarray:
    """Mean difference between the highest and the lowest channel.

    Args:
        pixels: …×H×W×3 uint8.

    Returns:
        … float64 in grey levels; below ``COLOURLESS_SPREAD`` for images that are nearly grey.
    """
    return (pixels.max(-1) - pixels.min(-1)).mean((-2, -1))
