"""What is kept of a user's file."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from data_utils.open_image import RefusedImage
from data_utils.photographs import read_photograph, side_by_side, target_name, write_photograph

HEIGHT, WIDTH = 24, 40


def ramp() -> np.ndarray:
    return np.tile(np.linspace(0, 255, WIDTH, dtype=np.uint8), (HEIGHT, 1))


def colour() -> Image.Image:
    return Image.fromarray(np.stack([ramp(), ramp()[:, ::-1], np.full_like(ramp(), 90)], axis=2))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_every_mode_counts_for_its_luma(tmp_path, mode):
    image = colour().convert(mode)
    image.save(tmp_path / "image.tif")
    photograph = read_photograph(tmp_path / "image.tif")
    luma = np.asarray(image.convert("RGB").convert("L")).astype(int)
    assert photograph.grey.shape == (HEIGHT, WIDTH)
    assert np.abs(photograph.grey - luma).max() <= 2
    assert photograph.alpha is None


def test_alpha_is_kept_and_needs_a_format_that_has_it(tmp_path):
    alpha = Image.fromarray(ramp())
    for name, image in (("rgba", colour()), ("la", colour().convert("L"))):
        image.putalpha(alpha)
        image.save(tmp_path / f"{name}.png")
        photograph = read_photograph(tmp_path / f"{name}.png")
        write_photograph(tmp_path / "out.png", photograph, np.asarray(colour()))
        with Image.open(tmp_path / "out.png") as written:
            assert np.array_equal(np.asarray(written.getchannel("A")), ramp())
            assert np.array_equal(np.asarray(written.convert("RGB")), np.asarray(colour()))


def test_sixteen_bit_grey_keeps_its_precision(tmp_path):
    values = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.uint16).reshape(HEIGHT, WIDTH)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert np.array_equal(read_photograph(tmp_path / "deep.png").grey, values)


def test_pixels_without_a_defined_white_are_refused(tmp_path):
    Image.fromarray(ramp().astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(RefusedImage, match=r"float\.tif is refused: pixels of kind F"):
        read_photograph(tmp_path / "float.tif")
    Image.fromarray(ramp().astype(np.int32) * 1000).save(tmp_path / "wide.tif")
    with pytest.raises(RefusedImage, match="32-bit"):
        read_photograph(tmp_path / "wide.tif")


def test_orientation_is_applied_once_and_other_exif_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    colour().save(tmp_path / "turned.jpg", exif=exif)
    photograph = read_photograph(tmp_path / "turned.jpg")
    assert photograph.grey.shape == (WIDTH, HEIGHT)
    write_photograph(tmp_path / "out.jpg", photograph, np.zeros((WIDTH, HEIGHT, 3), np.uint8))
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.size == (HEIGHT, WIDTH)
        assert written.getexif().get(0x010F) == "Camera"
        assert written.getexif().get(0x0112, 1) == 1


def test_a_profile_is_converted_to_srgb_and_a_damaged_one_ignored(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"xXYZ", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"xXYZ", b"gXYZ", 1)
    plain = np.asarray(colour().convert("L")).astype(int)
    red, green, blue = colour().split()
    for name, profile in (("srgb", srgb), ("swapped", swapped), ("broken", b"no profile")):
        colour().save(tmp_path / f"{name}.png", icc_profile=profile)
    assert np.abs(read_photograph(tmp_path / "srgb.png").grey - plain).max() <= 1
    assert np.array_equal(read_photograph(tmp_path / "broken.png").grey, plain)
    meant = np.asarray(Image.merge("RGB", (green, red, blue)).convert("L")).astype(int)
    assert np.abs(meant - plain).max() > 20
    assert np.abs(read_photograph(tmp_path / "swapped.png").grey - meant).max() <= 2


@pytest.mark.parametrize(
    ("name", "form", "expected"),
    [
        ("a.JPG", "JPEG", "a.JPG"),
        ("a.jpeg", "PNG", "a.jpeg.png"),
        ("a.gif", "PNG", "a.gif.png"),
        ("a", "PNG", "a.png"),
    ],
)
def test_the_name_fits_the_format(tmp_path, name, form, expected):
    assert target_name(tmp_path / "sub" / name, form) == tmp_path / "sub" / expected


def test_side_by_side_is_twice_as_wide(tmp_path):
    image = colour()
    image.putalpha(Image.fromarray(ramp()))
    image.save(tmp_path / "image.png")
    photograph = read_photograph(tmp_path / "image.png")
    wide, pixels = side_by_side(photograph, np.asarray(colour()))
    write_photograph(tmp_path / "out.png", wide, pixels)
    with Image.open(tmp_path / "out.png") as written:
        shown = np.asarray(written.convert("RGBA"))
    assert shown.shape == (HEIGHT, 2 * WIDTH, 4)
    assert np.array_equal(shown[:, :WIDTH, 0], photograph.grey)
    assert np.array_equal(shown[:, WIDTH:, :3], np.asarray(colour()))
