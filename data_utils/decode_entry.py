"""One image of a dataset from its files: pixels of the wanted size, a thumbnail, and facts."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from data_utils.decode_image import MIN_SIDE, colour_spread, loaded, square, thumbnail
from data_utils.entry_files import Stamp, files_of, stamp
from data_utils.errors import printable
from data_utils.layouts import Entry
from data_utils.open_image import RefusedImage, tiles

# Grey, colour and thumbnail; None where the image is refused.
Pixels = tuple[np.ndarray, np.ndarray, np.ndarray] | None
Row = tuple[Pixels, dict[str, Any]]  # with facts as JSON can hold them
ASPECT_TOLERANCE = 0.01  # between the two files of a pair


@dataclass(frozen=True)
class Facts:
    """What is known of a decoded image besides its pixels."""

    grey_error: float
    colour_spread: float
    original_size: tuple[int, int]
    content: str  # digest of the colour file's pixels at their own resolution
    pixels: str  # digest of grey and colour as they are stored


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
    grey, grey_error = luma, 0.0
    if entry.grey is not None:
        with loaded(entry.grey, "L", MIN_SIDE) as supplied:
            _require_same_frame(entry, supplied.size, frame)
            grey = np.asarray(square(supplied, size))
        grey_error = float(np.abs(grey.astype(np.int16) - luma).mean())
    pixels = np.asarray(colour)
    facts = Facts(grey_error, float(colour_spread(pixels)), frame, content, pixel_digest(grey, pixels))
    return Decoded(grey, pixels, small, facts)


def pixel_digest(grey: np.ndarray, colour: np.ndarray) -> str:
    """SHA-256 of an image as it is stored, shapes included."""
    digest = hashlib.sha256(repr((grey.shape, colour.shape)).encode())
    digest.update(np.ascontiguousarray(grey).data)
    digest.update(np.ascontiguousarray(colour).data)
    return digest.hexdigest()


def decode_row(entry: Entry, stamps: list[Stamp], size: int, root: Path) -> Row:
    """Decode an image to what is stored of it: pixels and facts, or the refusal alone.

    Args:
        entry: its files.
        stamps: what they were when the preparation began.
        size: side in pixels.
        root: the folder that names are relative to.
    """
    try:
        decoded = decode_entry(entry, size)
        for path, before in zip(files_of(entry), stamps, strict=True):
            if stamp(path) != before:
                raise RefusedImage(
                    path, "it changed while it was being read; start again when it is complete"
                )
    except RefusedImage as refusal:
        return None, {"refused": [printable(refusal.path.relative_to(root)), refusal.reason]}
    return decoded[:3], asdict(decoded.facts)


def _digest(image: Image.Image) -> str:
    """SHA-256 of the size and the pixels, piece by piece."""
    digest = hashlib.sha256(repr(image.size).encode())
    for box in tiles(image):
        piece = image if box == (0, 0, *image.size) else image.crop(box)
        digest.update(piece.tobytes())
    return digest.hexdigest()


def _require_same_frame(entry: Entry, grey: tuple[int, int], colour: tuple[int, int]) -> None:
    skew = (grey[0] * colour[1]) / (grey[1] * colour[0])
    if abs(skew - 1) > ASPECT_TOLERANCE and entry.grey is not None:
        raise RefusedImage(
            entry.colour,
            f"its grey partner {printable(entry.grey.name)} is {grey[0]}×{grey[1]}, "
            f"it is {colour[0]}×{colour[1]}: not the same picture",
        )
