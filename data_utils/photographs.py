"""A user's photographs, read for colouring and written again.

========================  =====================================================================
of the file               in the coloured one
========================  =====================================================================
size                      the same, after EXIF orientation, which is applied
colour                    replaced; what there was of it only counts for its luma (BT.601)
ICC profile               converted to sRGB and dropped; one that cannot be used is ignored
alpha, transparent index  kept as it is
16-bit grey               its whole precision goes into the lightness; written with 8 bits
animation                 first frame
EXIF                      kept in JPEG, PNG and WebP, without the orientation
format                    kept where Pillow writes it and it can hold alpha if there is any, else PNG
========================  =====================================================================
"""

from __future__ import annotations

import io
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from data_utils.decode_image import WIDE_MODES, RefusedImage, open_image
from data_utils.errors import DataError

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
_WITH_EXIF = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class Photograph:
    """What is needed of a file to colour it and to write it again.

    Attributes:
        grey: H×W uint8 or uint16.
        alpha: H×W uint8, None if the image is opaque.
        exif: Without orientation; empty if there is none.
        form: Pillow's name of the format to write.
    """

    grey: np.ndarray
    alpha: np.ndarray | None
    exif: bytes
    form: str


def read_photograph(path: Path) -> Photograph:
    """Read a file.

    Raises:
        RefusedImage: It is no usable image; the message names it.
    """
    image = open_image(path)
    alpha = np.asarray(image.convert("RGBA").getchannel("A")) if image.has_transparency_data else None
    form = image.format if image.format in _SUFFIXES else "PNG"
    if alpha is not None and form in _WITHOUT_ALPHA:
        form = "PNG"
    exif = image.info.get("exif", b"") if image.format in _WITH_EXIF else b""
    try:
        return Photograph(_grey(path, image), alpha, exif, str(form))
    except (OSError, ValueError) as error:
        raise RefusedImage(path, f"it cannot be converted to grey ({error})") from error


def _grey(path: Path, image: Image.Image) -> np.ndarray:
    if image.mode in WIDE_MODES:
        values = np.asarray(image)
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise RefusedImage(path, "32-bit pixels have no defined white; save it with 8 or 16 bits")
        return values.astype(np.uint16)
    if image.mode in ("F", "LAB"):
        raise RefusedImage(
            path, f"pixels of kind {image.mode} have no defined white; save it with 8 or 16 bits"
        )
    return np.asarray(_to_srgb(image).convert("L"))


def _to_srgb(image: Image.Image) -> Image.Image:
    """Without alpha; in the sRGB that the networks know, if the file says what its numbers mean."""
    if image.mode in ("P", "PA", "RGBA", "RGBa"):
        opaque = image.convert("RGBA").convert("RGB")
    else:
        opaque = image.convert("L") if image.mode in ("1", "LA", "La") else image
    profile = image.info.get("icc_profile")
    if not profile:
        return opaque
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return opaque
    return converted or opaque


def target_name(name: Path, form: str) -> Path:
    """The name to write under: another suffix is added where the given one does not fit the format."""
    suffixes = _SUFFIXES[form]
    return name if name.suffix.lower() in suffixes else name.with_name(name.name + suffixes[0])


def write_photograph(path: Path, photograph: Photograph, coloured: np.ndarray) -> None:
    """Write H×W×3 uint8 with what is kept of the photograph, whole or not at all.

    Raises:
        DataError: The file cannot be written.
    """
    image = Image.fromarray(coloured)
    if photograph.alpha is not None:
        image.putalpha(Image.fromarray(photograph.alpha))
    options = dict(_OPTIONS.get(photograph.form, {}))
    if photograph.exif:
        options["exif"] = photograph.exif
    fresh = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(fresh, format=photograph.form, **options)
        os.replace(fresh, path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be written: {error}.") from error
    finally:
        fresh.unlink(missing_ok=True)


def side_by_side(photograph: Photograph, coloured: np.ndarray) -> tuple[Photograph, np.ndarray]:
    """The grey image left of the coloured one: the same photograph twice as wide, and its H×2W×3 pixels."""
    grey = photograph.grey
    if grey.dtype == np.uint16:
        grey = ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)
    alpha = None if photograph.alpha is None else np.concatenate([photograph.alpha] * 2, axis=1)
    both = np.concatenate([np.repeat(grey[:, :, None], 3, axis=2), coloured], axis=1)
    return Photograph(grey, alpha, photograph.exif, photograph.form), both
