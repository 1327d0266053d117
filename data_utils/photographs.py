"""A user's photographs, read for colouring and written again.

========================  =====================================================================
of the file               in the coloured one
========================  =====================================================================
size                      the same, after EXIF orientation, which is applied
colour                    replaced; what there was of it only counts for its luma (BT.601)
ICC profile               converted to sRGB and dropped; one that cannot be used is ignored
alpha, transparent index  kept as it is
16-bit grey               its whole precision goes into the lightness; written with 8 bits
animation, MPO            first frame
EXIF, XMP, dpi, comments  kept where the format can hold them, without the orientation
format                    kept where Pillow writes it and it can hold alpha if there is any, else PNG
========================  =====================================================================

Reading holds at most about 1 GB, whatever the shape of the image.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from data_utils.decode_image import NO_WHITE, TOO_WIDE, WIDE_MODES
from data_utils.errors import DataError, printable
from data_utils.open_image import MAX_PIXELS, RefusedImage, one_line, opened, tiles
from data_utils.photo_metadata import Metadata, not_kept, read_metadata, save_options

_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},  # the chroma is all that was made here
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_deflate"},
}
_WITHOUT_ALPHA = ("JPEG", "BMP")
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}


@dataclass(frozen=True)
class Photograph:
    """What is needed of a file to colour it and to write it again.

    Attributes:
        grey: H×W uint8 or uint16.
        alpha: H×W uint8, None if the image is opaque.
        form: Pillow's name of the format to write.
        metadata: What the file says of itself.
    """

    grey: np.ndarray
    alpha: np.ndarray | None
    form: str
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def lost(self) -> tuple[str, ...]:
        """What the file said of itself and the coloured one will not, in words such as ``EXIF``."""
        return not_kept(self.metadata, self.form)


def read_photograph(path: Path, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Read a file.

    Args:
        path: The file.
        max_pixels: Files with more are refused before they are decoded.

    Raises:
        RefusedImage: It is no usable image; the message names it.
    """
    with opened(path, max_pixels=max_pixels) as image:
        alpha = _alpha(image) if image.has_transparency_data else None
        form = image.format if image.format in _SUFFIXES else "PNG"
        if alpha is not None and form in _WITHOUT_ALPHA:
            form = "PNG"
        metadata = read_metadata(image, image.format)
        return Photograph(_grey(path, image), alpha, str(form), metadata)


def _alpha(image: Image.Image) -> np.ndarray:
    return _by_tile(image, np.uint8, lambda piece: np.asarray(piece.convert("RGBA").getchannel("A")))


def _grey(path: Path, image: Image.Image) -> np.ndarray:
    if image.mode in WIDE_MODES:
        return _by_tile(image, np.uint16, lambda piece: _wide(path, piece))
    if image.mode in ("F", "LAB"):
        raise RefusedImage(path, NO_WHITE.format(image.mode))
    to_srgb = _profile(image)
    return _by_tile(image, np.uint8, lambda piece: np.asarray(to_srgb(_opaque(piece)).convert("L")))


def _by_tile(image: Image.Image, kind: type, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """H×W of a type, converted piece by piece, so that large images need little beside themselves."""
    result: np.ndarray = np.empty((image.height, image.width), kind)
    for left, top, right, bottom in tiles(image):
        result[top:bottom, left:right] = convert(image.crop((left, top, right, bottom)))
    return result


def _wide(path: Path, piece: Image.Image) -> np.ndarray:
    values = np.asarray(piece)
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise RefusedImage(path, TOO_WIDE)
    return values.astype(np.uint16)


def _opaque(piece: Image.Image) -> Image.Image:
    """Without alpha; palettes become their colours."""
    if piece.mode in ("P", "PA", "RGBA"):
        return piece.convert("RGBA").convert("RGB")
    return piece.convert("L") if piece.mode in ("1", "LA") else piece


def _profile(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What brings opaque pieces to the sRGB that the networks know, if the file says what its numbers mean."""
    profile = image.info.get("icc_profile")
    if not profile:
        return _unchanged
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _opaque(image.crop((0, 0, 1, 1))).mode
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return _unchanged
    return lambda piece: ImageCms.applyTransform(piece, transform) or piece


def _unchanged(piece: Image.Image) -> Image.Image:
    return piece


def target_name(name: Path, form: str) -> Path:
    """The name to write under: another suffix is added where the given one does not fit the format.

    A ``.mpo`` file is a JPEG, and becomes ``.jpg``.
    """
    suffixes = _SUFFIXES[form]
    if form == "JPEG" and name.suffix.lower() == ".mpo":
        return name.with_suffix(suffixes[0])
    return name if name.suffix.lower() in suffixes else name.with_name(name.name + suffixes[0])


def targets(name: Path) -> set[Path]:
    """Every name that a file may be written under, whatever its format."""
    return {target_name(name, form) for form in _SUFFIXES}


def write_photograph(path: Path, photograph: Photograph, coloured: np.ndarray) -> None:
    """Write H×W×3 uint8 with what is kept of the photograph, whole or not at all.

    Raises:
        DataError: The file cannot be written.
    """
    height, width = coloured.shape[:2]
    if max(height, width) > _LONGEST_SIDE.get(photograph.form, max(height, width)):
        raise DataError(
            f"{printable(path)} cannot be written: {width}×{height} pixels are more than {photograph.form} "
            "allows; give the photograph as PNG or TIFF."
        )
    fresh = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        image = Image.fromarray(coloured)
        if photograph.alpha is not None:
            image.putalpha(Image.fromarray(photograph.alpha))
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {**_OPTIONS.get(photograph.form, {}), **save_options(photograph.metadata, photograph.form)}
        image.save(fresh, format=photograph.form, **options)
        os.replace(fresh, path)
    except Exception as error:  # Pillow's writers raise almost anything, too
        raise DataError(f"{printable(path)} cannot be written: {one_line(error)}.") from error
    finally:
        _remove(fresh)


def _remove(fresh: Path) -> None:
    try:
        fresh.unlink(missing_ok=True)
    except OSError:  # its folder is a file, or its name is too long: there is nothing
        return


def side_by_side(photograph: Photograph, coloured: np.ndarray) -> tuple[Photograph, np.ndarray]:
    """The grey image left of the coloured one: the same photograph twice as wide, and its H×2W×3 pixels."""
    grey = photograph.grey
    if grey.dtype == np.uint16:
        grey = ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)
    alpha = None if photograph.alpha is None else np.concatenate([photograph.alpha] * 2, axis=1)
    both = np.concatenate([np.repeat(grey[:, :, None], 3, axis=2), coloured], axis=1)
    return replace(photograph, grey=grey, alpha=alpha), both
