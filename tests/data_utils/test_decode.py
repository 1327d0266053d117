from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_utils import DataError, RefusedImage, decode_colour, decode_full, decode_grey
from tests.support.image_folders import picture, save


def test_centre_is_cropped_before_resizing(tmp_path):
    wide = Image.new("RGB", (60, 20), "red")
    wide.paste("blue", (20, 0, 40, 20))
    path = save(tmp_path / "wide.png", wide)
    assert (decode_colour(path, 10) == (0, 0, 255)).all()
    assert decode_full(path).shape == (20, 60, 3)


def test_a_file_of_the_wanted_size_keeps_its_pixels(tmp_path):
    image = picture(1, 16, 16)
    path = save(tmp_path / "same.png", image)
    assert np.array_equal(decode_colour(path, 16), np.asarray(image))
    assert np.array_equal(decode_grey(path, 16), np.asarray(image.convert("L")))


def test_grey_is_bt601_luma(tmp_path):
    for colour, luma in (("red", 76), ("lime", 150), ("blue", 29)):
        path = save(tmp_path / f"{colour}.png", Image.new("RGB", (16, 16), colour))
        assert (decode_grey(path, 8) == luma).all()


def test_grey_photographs_become_three_equal_channels(tmp_path):
    path = save(tmp_path / "grey.jpg", picture(2).convert("L"))
    colour = decode_colour(path, 16)
    assert colour.shape == (16, 16, 3)
    assert np.ptp(colour, axis=-1).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste("red", (0, 0, 8, 8))  # marks the top left
    stored_from_upright = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turn = stored_from_upright.get(orientation)
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "turned.png", stored, exif=exif)
    assert np.array_equal(decode_full(path), np.asarray(upright))


def test_transparency_lies_over_white(tmp_path):
    clear = save(tmp_path / "clear.png", Image.new("RGBA", (16, 16), (200, 0, 0, 0)))
    half = save(tmp_path / "half.png", Image.new("LA", (16, 16), (0, 128)))
    assert (decode_colour(clear, 8) == 255).all()
    assert (decode_grey(half, 8) == 127).all()


def test_transparent_palette_index_lies_over_white(tmp_path):
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    path = save(tmp_path / "palette.png", image, transparency=1)
    opaque = save(tmp_path / "opaque.png", image)
    assert (decode_colour(path, 8) == 255).all()
    assert (decode_colour(opaque, 8) == (10, 20, 30)).all()


def test_sixteen_bits_are_scaled(tmp_path):
    values = np.repeat(np.array([[0, 257, 32896, 65535]], np.uint16), 4, 1).repeat(16, 0)
    for name in ("deep.png", "deep.tif"):
        path = save(tmp_path / name, Image.fromarray(values))
        assert decode_full(path)[0, ::4, 0].tolist() == [0, 1, 128, 255]


def test_cmyk_and_one_bit_are_converted(tmp_path):
    ink = save(tmp_path / "ink.tif", Image.new("CMYK", (16, 16), (0, 255, 255, 0)))
    bits = save(tmp_path / "bits.png", Image.new("1", (16, 16), 1))
    assert (decode_colour(ink, 8) == (255, 0, 0)).all()
    assert (decode_colour(bits, 8) == 255).all()


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    for name in ("moving.gif", "moving.webp", "moving.png"):
        path = save(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], lossless=True)
        assert (decode_colour(path, 8) == (255, 0, 0)).all(), name


def test_progressive_equals_baseline_closely(tmp_path):
    image = picture(5, 64, 64)
    baseline = decode_full(save(tmp_path / "a.jpg", image, quality=95))
    progressive = decode_full(save(tmp_path / "b.jpg", image, quality=95, progressive=True))
    assert np.abs(baseline.astype(int) - progressive).max() <= 2


def test_refusal_names_file_and_reason(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(RefusedImage, match=r"empty\.jpg is refused: it is empty \(0 bytes\)\.") as caught:
        decode_colour(path, 8)
    assert caught.value.path == path
    assert isinstance(caught.value, DataError)


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(["RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16"]),
    width=st.integers(8, 60),
    height=st.integers(8, 60),
    size=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_any_mode_and_shape_gives_the_promised_arrays(mode, width, height, size, seed):
    image = picture(seed, width, height).convert("L" if mode == "I;16" else mode)
    with tempfile.TemporaryDirectory() as folder:
        name = "image.tif" if mode in ("CMYK", "I;16") else "image.png"
        path = save(Path(folder) / name, image.convert(mode) if mode == "I;16" else image)
        colour, grey, full = decode_colour(path, size), decode_grey(path, size), decode_full(path)
    assert (colour.shape, colour.dtype) == ((size, size, 3), np.uint8)
    assert (grey.shape, grey.dtype) == ((size, size), np.uint8)
    assert (full.shape, full.dtype) == ((height, width, 3), np.uint8)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_damaged_files_are_decoded_or_refused_never_anything_else(data):
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "PPM"]))
    buffer = io.BytesIO()
    picture(3).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.jpg"
        path.write_bytes(content)
        try:
            answer = decode_colour(path, 16).shape
        except RefusedImage as refusal:
            answer = (16, 16, 3) if "\n" not in str(refusal) and "damaged.jpg" in str(refusal) else None
    assert answer == (16, 16, 3)
