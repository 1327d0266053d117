"""Opening image files within limits: of formats, pixels, memory and time, with one sentence for what fails."""

from __future__ import annotations

import io
import os
import stat
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from data_utils.errors import DataError, printable

MAX_PIXELS = 80_000_000  # below the bound at which Pillow itself starts to warn
# Decoders that hold a picture several times over; measured, so that none needs more than about 1 GB.
FORMAT_PIXELS = {"WEBP": 60_000_000, "JPEG2000": 40_000_000, "AVIF": 60_000_000, "HEIF": 60_000_000}
TIME_LIMIT = 60.0  # seconds for one file
TILE = 2048  # pixels; side of the pieces in which large images are converted
# Pillow knows more formats, among them ones that start other programs (EPS); photographs do not need them.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "PPM")
ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_JPEG_BLOCK = (
    4096  # bytes decoded between two looks at the clock; a few bytes can ask for a pass over all pixels
)
_LARGE = 16_000_000  # pixels; larger images are decoded one at a time, whatever the number of threads

# Long captions and XMP packets are legitimate; Pillow's own bound is 1 MB.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20


class RefusedImage(DataError):
    """An image cannot be used.

    Attributes:
        path: the file.
        reason: why, without the file's name.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{printable(path)} is refused: {reason}.")
        self.path, self.reason = path, reason


class _TooSlow(Exception):
    """A file is still being decoded when its time is over."""


class _TimedFile(io.FileIO):
    """A file that can be read until a deadline; Pillow's decoders read as they go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deadline = time.monotonic() + TIME_LIMIT

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self._deadline:
            raise _TooSlow
        return super().read(-1 if size is None else size) or b""


_one_large = threading.RLock()


@contextmanager
def opened(path: Path, min_side: int = 1, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open, bound, decode and rotate one file; mode, format, profile and metadata stay as stored.

    While the context is open no other thread holds a large image, so that memory follows the largest file.

    Args:
        path: The file.
        min_side: Files with a shorter side than this are refused before they are decoded.
        max_pixels: Files with more are refused before they are decoded; formats may have lower bounds.

    Raises:
        RefusedImage: With the reason in one phrase, also for what Pillow raises inside the context.
    """
    _require_regular_file(path)
    with refusals(path), _TimedFile(path) as file, Image.open(file, formats=_known_formats()) as image:
        _require_bounds(path, image, min_side, max_pixels)
        if image.format in ("JPEG", "MPO"):
            image.decodermaxblock = _JPEG_BLOCK  # type: ignore[attr-defined]
        large = image.width * image.height > _LARGE
        if large:
            _one_large.acquire()
        try:
            image.load()
            if image.mode in ("P", "PA") and image.palette is None:
                raise RefusedImage(path, "its palette is missing")
            yield _upright(image)
        finally:
            if large:
                _one_large.release()


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn whatever Pillow raises on a file into a refusal with its reason, and keep its warnings quiet."""
    try:
        with _quiet():
            yield
    except RefusedImage:
        raise
    except UnidentifiedImageError as error:
        raise RefusedImage(path, _unidentified(path)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedImage(path, f"it has more than {MAX_PIXELS} pixels") from error
    except PermissionError as error:
        raise RefusedImage(path, "it may not be read; check its permissions") from error
    except _TooSlow as error:
        raise RefusedImage(path, f"it takes more than {TIME_LIMIT:.0f} seconds to decode") from error
    except MemoryError as error:
        raise RefusedImage(path, "there is not enough memory to decode it") from error
    except Exception as error:  # Pillow's readers raise almost anything on malformed content
        raise RefusedImage(path, f"it cannot be decoded ({one_line(error)})") from error


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it is nonsense."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
        number = int(value)
    except Exception:  # Pillow's readers raise almost anything; text, a list, a fraction of 0 parts
        return 1
    return number if number == value and 1 <= number <= 8 else 1


def tiles(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) that cover an image, at most ``TILE``² pixels each."""
    width = min(image.width, TILE)
    height = max(1, TILE * TILE // width)
    for top in range(0, image.height, height):
        for left in range(0, image.width, width):
            yield left, top, min(left + width, image.width), min(top + height, image.height)


def one_line(error: Exception) -> str:
    """The reason in an exception, without file names that it may repeat."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(" ".join(str(text).split()).rstrip("."))


def _upright(image: Image.Image) -> Image.Image:
    """Apply the orientation; undo premultiplied alpha, from which nothing else converts."""
    form = image.format
    if orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode in ("La", "RGBa"):
        info = image.info
        image = image.convert(image.mode.upper())
        image.info = info
    image.format = "JPEG" if form == "MPO" else form  # a JPEG with a second picture behind it
    return image


def _require_bounds(path: Path, image: Image.Image, min_side: int, max_pixels: int) -> None:
    bound = min(max_pixels, FORMAT_PIXELS.get(image.format or "", max_pixels))
    if image.width * image.height > bound:
        raise RefusedImage(path, f"{image.width}×{image.height} pixels are more than {bound}")
    if min(image.size) < min_side:
        raise RefusedImage(
            path, f"{image.width}×{image.height} pixels are too few (at least {min_side} a side)"
        )


def _require_regular_file(path: Path) -> None:
    """Refuse what Pillow must not even open: a named pipe would block it for ever."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise RefusedImage(path, f"it cannot be opened ({one_line(error)})") from error
    if not stat.S_ISREG(status.st_mode):
        raise RefusedImage(path, "it is not a regular file")
    if status.st_size == 0:
        raise RefusedImage(path, "it is empty (0 bytes)")


def _unidentified(path: Path) -> str:
    if "HEIF" not in _known_formats():
        with path.open("rb") as file:
            head = file.read(12)
        if head[4:8] == b"ftyp" and head[8:] in _HEIF_BRANDS:
            return "it is a HEIC file, which the package pillow-heif reads (pip install pillow-heif)"
    return "it is not an image in a known format"


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this installation of Pillow has."""
    Image.init()
    try:
        import pillow_heif
    except ImportError:
        pass
    else:
        pillow_heif.register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


_quiet_lock = threading.Lock()
_quiet_depth = 0
_catcher: warnings.catch_warnings | None = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Ignore Pillow's warnings while any thread is in here; what matters about a file becomes a refusal."""
    global _quiet_depth, _catcher  # noqa: PLW0603  catch_warnings itself is not made for several threads
    with _quiet_lock:
        if _quiet_depth == 0:
            _catcher = warnings.catch_warnings()
            _catcher.__enter__()
            warnings.filterwarnings("ignore", module="PIL")
            warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _catcher is not None:
                _catcher.__exit__(None, None, None)
