"""From the files of a layout to arrays, in parallel, with every refusal collected before anything stops."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from PIL import Image

from data_utils.decode_image import MIN_SIDE, colour_spread, loaded, square
from data_utils.errors import RefusedFiles, printable
from data_utils.image_set import Refused
from data_utils.layouts import Entry, Layout
from data_utils.near_duplicates import THUMBNAIL, near_duplicate_pairs, thumbnail
from data_utils.open_image import RefusedImage, tiles
from data_utils.set_arrays import FORMAT, assemble

CODE_VERSION = 3  # raise it whenever the same files would give other arrays
ASPECT_TOLERANCE = 0.01  # between the two files of a pair

Stamp = tuple[int, int, int] | None  # size, modification time in ns, mode; None where there is no file


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


class Decoding:
    """The decoding of one layout at one size.

    Args:
        layout: what was recognised.
        size: side of the square images.
        skip_bad: leave out refused files instead of stopping.
        workers: threads; Pillow decodes outside the interpreter's lock.
    """

    def __init__(self, layout: Layout, size: int, *, skip_bad: bool, workers: int) -> None:
        self.layout, self.size, self.skip_bad, self.workers = layout, size, skip_bad, workers
        self._stamps = {path: stamp(path) for entry in layout.entries for path in files_of(entry)}

    @cached_property
    def key(self) -> str:
        """Hash of everything the arrays depend on; files by name, size, time and mode, not by content."""
        digest = hashlib.sha256()
        settings = (CODE_VERSION, FORMAT, PIL.__version__, self.layout.kind, self.size, self.skip_bad)
        digest.update(repr(settings).encode())
        # Archives unpack different pictures with equal names and times, so the folder counts too.
        digest.update(os.fsencode(self.layout.root.resolve()))
        for path, state in self._stamps.items():
            digest.update(b"\0" + os.fsencode(path.relative_to(self.layout.root)) + repr(state).encode())
        for path in self.layout.unpaired:
            digest.update(b"\0unpaired\0" + os.fsencode(path.relative_to(self.layout.root)))
        return digest.hexdigest()

    def build(self) -> dict[str, np.ndarray]:
        """Decode all images.

        Returns:
            Arrays for ``image_set``.

        Raises:
            RefusedFiles: some files are refused and bad ones are not skipped.
            DataError: too few images for three splits.
        """
        grey = np.empty((len(self.layout.entries), self.size, self.size), np.uint8)
        colour = np.empty((*grey.shape, 3), np.uint8)
        thumbnails = np.empty((len(grey), THUMBNAIL, THUMBNAIL), np.uint8)
        entries: list[Entry] = []
        facts: list[Facts] = []
        refused = [
            Refused(self._name(path), "it has no partner of the same name") for path in self.layout.unpaired
        ]
        for entry, result in zip(self.layout.entries, self._results(), strict=True):
            if isinstance(result, RefusedImage):
                refused.append(Refused(self._name(result.path), result.reason))
                continue
            position = len(entries)
            grey[position], colour[position], thumbnails[position], known = result
            entries.append(entry)
            facts.append(known)
        if refused and not self.skip_bad:
            raise self._refusal(refused)
        contents = [known.content for known in facts]
        return assemble(
            printable(self.layout.root),
            names=[str(entry.colour.relative_to(self.layout.root)) for entry in entries],
            labels=[entry.category for entry in entries],
            given=[entry.split for entry in entries],
            contents=contents,
            near=near_duplicate_pairs(thumbnails[: len(entries)], contents),
            arrays={
                "grey": grey[: len(entries)],
                "colour": colour[: len(entries)],
                "colour_spread": np.array([known.colour_spread for known in facts], np.float32),
                "grey_error": np.array([known.grey_error for known in facts], np.float32),
                "original_size": np.array([known.original_size for known in facts], np.int32).reshape(-1, 2),
            },
            refused=refused,
        )

    def _results(self) -> Iterator[Decoded | RefusedImage]:
        """Decode in parallel, in the layout's order."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from pool.map(self._decode, self.layout.entries)

    def _refusal(self, refused: list[Refused]) -> RefusedFiles:
        root, total = printable(self.layout.root), len(self.layout.entries)
        return RefusedFiles(
            f"{len(refused)} of {total} images in {root} are refused; repair or remove these files, "
            "or go on without them with --skip-bad-images:\n"
            + "\n".join(f"  {item.file}: {item.reason}" for item in refused)
        )

    def _name(self, path: Path) -> str:
        return printable(path.relative_to(self.layout.root))

    def _decode(self, entry: Entry) -> Decoded | RefusedImage:
        try:
            decoded = decode_entry(entry, self.size)
            for path in files_of(entry):
                if stamp(path) != self._stamps[path]:
                    raise RefusedImage(
                        path, "it changed while it was being read; start again when it is complete"
                    )
        except RefusedImage as refusal:
            return refusal
        return decoded


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


def files_of(entry: Entry) -> list[Path]:
    """The colour file of an image and, where there is one, its grey file."""
    return [entry.colour] if entry.grey is None else [entry.colour, entry.grey]


def stamp(path: Path) -> Stamp:
    """What tells that a file has changed, short of reading it."""
    try:
        status = os.stat(path)
    except OSError:
        return None  # the decoder says what is wrong with it
    return status.st_size, status.st_mtime_ns, status.st_mode


def _require_same_frame(entry: Entry, grey: tuple[int, int], colour: tuple[int, int]) -> None:
    skew = (grey[0] * colour[1]) / (grey[1] * colour[0])
    if abs(skew - 1) > ASPECT_TOLERANCE and entry.grey is not None:
        raise RefusedImage(
            entry.colour,
            f"its grey partner {printable(entry.grey.name)} is {grey[0]}×{grey[1]}, "
            f"it is {colour[0]}×{colour[1]}: not the same picture",
        )
