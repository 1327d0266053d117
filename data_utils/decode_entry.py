"""One image of a dataset from its files: pixels of the wanted size, a thumbnail, and facts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from data_utils.decode_image import MIN_SIDE, colour_spread, loaded, square
from data_utils.errors import printable
from data_utils.layouts import Entry
from data_utils.near_duplicates import thumbnail
from data_utils.open_image import RefusedImage, tiles

ASPECT_TOLERANCE = 0.01  # between the two files of a pair


@dataclass(frozen=True)
class Facts:
    """What is known of a decoded image besides its pixels."""

    grey_error: float
    colour_spread: float
    original_size: tuple[int, int]
    content: str


class Decoded(NamedTuple):
    """One image: S×S grey, S×S×3 colour, a thumbnail of the whole, and what is known of its files."""

    grey: np.ndarray
    colour: np.ndarray
    thumbnail: np.ndarray
    facts: Facts


def decode_entry(entry: Entry, size: int) -> Decoded:
    """Decode the colour file and the grey file of an image, or derive its grey (BT.601 luma).

    Raises:
        RefusedImage: one of the files is unusable, or the two do not show the same frame.
    """
    with loaded(entry.colour, "RGB", MIN_SIDE) as original:
        colour, small = square(original, size), thumbnail(original)
        frame, content = original.size, _digest(original)
    luma = np.asarray(colour.convert("L"))
    grey = luma
    if entry.grey is not None:
        with loaded(entry.grey, "L", MIN_SIDE) as supplied:
            _require_same_frame(entry, supplied.size, frame)
            grey = np.asarray(square(supplied, size))
    grey_error = float(np.abs(grey.astype(np.int16) - luma).mean())
    pixels = np.asarray(colour)
    return Decoded(grey, pixels, small, Facts(grey_error, float(colour_spread(pixels)), frame, content))


def _digest(image: Image.Image) -> str:
    """SHA-256 of the size and the pixels, piece by piece."""
    digest = hashlib.sha256(repr(image.size).encode())
    for box in tiles(image):
        digest.update(image.crop(box).tobytes())
    return digest.hexdigest()


def _require_same_frame(entry: Entry, grey: tuple[int, int], colour: tuple[int, int]) -> None:
    skew = (grey[0] * colour[1]) / (grey[1] * colour[0])
    if abs(skew - 1) > ASPECT_TOLERANCE and entry.grey is not None:
        raise RefusedImage(
            entry.colour,
            f"its grey partner {printable(entry.grey.name)} is {grey[0]}×{grey[1]}, "
            f"it is {colour[0]}×{colour[1]}: not the same picture",
        )
