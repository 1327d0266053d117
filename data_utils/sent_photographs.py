"""Photographs that somebody sent, by name and content, coloured without leaving a file behind."""

from __future__ import annotations

import base64
import binascii
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np

from data_utils.errors import DataError, printable
from data_utils.open_image import MAX_PIXELS
from data_utils.photographs import read_photograph, target_name, write_photograph

_UNNAMED = "photograph"
_LONGEST_NAME = 120  # characters; file systems allow 255 bytes


@dataclass(frozen=True)
class Coloured:
    """A coloured file.

    Attributes:
        name: The sender's, with another suffix where the format needs it.
        content: The file's bytes.
        lost: What the photograph said of itself and this file does not, in words such as ``EXIF``.
    """

    name: str
    content: bytes
    lost: tuple[str, ...]


def colour_sent(
    name: str,
    content: BinaryIO,
    colour: Callable[[np.ndarray], np.ndarray],
    max_pixels: int = MAX_PIXELS,
) -> Coloured:
    """Colour one file at its own size, as a file on disk is coloured.

    Args:
        name: What the sender calls it; folders in it are ignored.
        content: The file, read from where it stands.
        colour: Turns H×W uint8 or uint16 into H×W×3 uint8.
        max_pixels: Files with more are refused before they are decoded.

    Raises:
        DataError: It is no usable image, or cannot be written; the sentence names it as the sender does.
    """
    with TemporaryDirectory(prefix="colour-") as temporary:
        sent, made = Path(temporary, "sent"), Path(temporary, "made")
        sent.mkdir()
        source = sent / plain_name(name)
        try:
            with source.open("wb") as file:
                shutil.copyfileobj(content, file)
            photograph = read_photograph(source, max_pixels)
            target = target_name(made / source.name, photograph.form)
            write_photograph(target, photograph, colour(photograph.grey))
            return Coloured(target.name, target.read_bytes(), photograph.lost)
        except OSError as error:
            raise DataError(f"{source.name} cannot be kept for colouring: {error.strerror}.") from error
        except DataError as error:
            told = str(error).replace(f"{sent}{os.sep}", "").replace(f"{made}{os.sep}", "")
            raise DataError(told) from error


def from_base64(name: str, text: object) -> BinaryIO:
    """The file that a text stands for.

    Raises:
        DataError: It is no base64.
    """
    try:
        if not isinstance(text, str):
            raise ValueError
        return io.BytesIO(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise DataError(f"{name} is refused: it is not base64; encode the file's bytes.") from error


def to_base64(content: bytes) -> str:
    """The text that stands for a file."""
    return base64.b64encode(content).decode("ascii")


def plain_name(name: str) -> str:
    """A sender's name as that of a file in one folder, whatever it holds; its suffix stays."""
    last = printable(name.replace("\\", "/").encode("utf-8", "replace").decode()).rpartition("/")[2]
    last = last.replace("\\", "_").lstrip(".") or _UNNAMED
    stem, suffix = os.path.splitext(last)
    return stem.encode()[: _LONGEST_NAME - len(suffix[:10])].decode("utf-8", "ignore") + suffix[:10]
