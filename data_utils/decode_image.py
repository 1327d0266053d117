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
animated, MPO             first frame
HEIC                      read where the package pillow-heif is installed, else refused saying so
EXIF orientation          applied; nonsense counts as none
wrong extension           the content decides
more than MAX_PIXELS      refused before anything is decoded
more than TIME_LIMIT      refused
shorter side < MIN_SIDE   refused before anything is decoded, except by ``decode_full``
anything else             refused: empty, truncated, not an image, unreadable, not a regular file
========================  ===========================================================================

Whatever is accepted takes at most about 1 GB of memory: what is large is converted in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from data_utils.open_image import RefusedImage, opened, tiles

MIN_SIDE = 8  # pixels; smaller files are icons and tracking pixels
THUMBNAIL = 64  # pixels; of what near-duplicates are found by
COLOURLESS_SPREAD = 4.0  # grey levels between the highest and lowest channel of an image, on average
WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
NO_WHITE = "pixels of kind {} have no defined white; save it with 8 or 16 bits"
TOO_WIDE = "32-bit pixels have no defined white; save it with 8 or 16 bits"


def decode_colour(path: str | Path, size: int) -> np.ndarray:
    """Decode a file as ``size × size × 3`` uint8 RGB, centre-cropped to a square.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(square(load_image(Path(path), "RGB", MIN_SIDE), size))


def decode_grey(path: str | Path, size: int) -> np.ndarray:
    """Decode a file as ``size × size`` uint8 grey (BT.601 luma of colour), centre-cropped to a square.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(square(load_image(Path(path), "L", MIN_SIDE), size))


def decode_full(path: str | Path) -> np.ndarray:
    """Decode a file as ``H × W × 3`` uint8 RGB at its own resolution.

    Raises:
        RefusedImage: the file is not a usable image.
    """
    return np.asarray(load_image(Path(path), "RGB"))


def load_image(path: Path, mode: str, min_side: int = 1) -> Image.Image:
    """Open, bound, decode, flatten and rotate one file.

    Args:
        path: the file.
        mode: ``RGB`` or ``L`` (BT.601 luma).
        min_side: the shortest side that is accepted, in pixels.

    Raises:
        RefusedImage: with the reason in one phrase.
    """
    with loaded(path, mode, min_side) as image:
        return image


@contextmanager
def loaded(path: Path, mode: str, min_side: int = 1) -> Iterator[Image.Image]:
    """``load_image`` for as long as the image is needed; until then no other thread holds a large one."""
    with opened(path, min_side) as image:
        flat = _flatten(path, image)
        yield flat if flat.mode == mode else flat.convert(mode)


def square(image: Image.Image, size: int) -> Image.Image:
    """Cut the central square and resize it (Lanczos) to ``size × size``."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped first: the ``box`` of ``resize`` would let the filter see pixels outside of it.
    whole = image.width == image.height
    centre = image if whole else image.crop((left, top, left + side, top + side))
    return centre.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _flatten(path: Path, image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit L or RGB, transparency over white."""
    if image.mode in WIDE_MODES:
        return _from_16_bit(path, image)
    if image.mode in ("F", "LAB"):
        raise RefusedImage(path, NO_WHITE.format(image.mode))
    if image.has_transparency_data:
        result = Image.new("RGB", image.size)
        for box in tiles(image):
            piece = image.crop(box).convert("RGBA")
            white = Image.new("RGBA", piece.size, "white")
            result.paste(Image.alpha_composite(white, piece).convert("RGB"), box)
        return result
    wanted = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _from_16_bit(path: Path, image: Image.Image) -> Image.Image:
    result = Image.new("L", image.size)
    for box in tiles(image):
        values = np.asarray(image.crop(box)).astype(np.int64)
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise RefusedImage(path, TOO_WIDE)
        result.paste(Image.fromarray(((values + 128) // 257).astype(np.uint8)), box)
    return result


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
    # Many times faster than numpy's reduction over an axis of three.
    red, green, blue = (np.ascontiguousarray(pixels[..., channel]) for channel in range(3))
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    return (highest - lowest).mean((-2, -1))


def thumbnail(picture: Image.Image) -> np.ndarray:
    """Reduce an RGB picture to ``THUMBNAIL × THUMBNAIL`` uint8 grey, its aspect ignored."""
    grey = picture.convert("L")
    small = grey.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(small)
