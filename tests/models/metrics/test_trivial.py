import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from models.metrics import TRIVIAL, grey_copy, image_quantities, mean_chroma, white

GREY = torch.rand(3, 1, 12, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_names_are_those_of_the_tables() -> None:
    assert TRIVIAL == ("grey copy", "best tint", "mean chroma", "white")


def test_grey_copy_and_white() -> None:
    assert torch.equal(grey_copy(GREY), torch.cat([GREY, GREY, GREY], dim=1))
    assert torch.equal(white(GREY), torch.ones(3, 3, 12, 10))
    assert image_quantities(white(GREY), grey_copy(GREY))["white_fraction"].tolist() == [1, 1, 1]


def test_mean_chroma_agrees_with_scikit_image() -> None:
    train = np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3), dtype=np.uint8)
    train[..., 0] //= 2
    trivial = mean_chroma(train, chunk=2)
    lab = rgb2lab(train)
    assert (trivial.a, trivial.b) == pytest.approx((lab[..., 1].mean(), lab[..., 2].mean()), abs=1e-3)

    some = mean_chroma(train, np.array([1, 3]), chunk=1)
    assert (some.a, some.b) == pytest.approx(lab[[1, 3], ..., 1:].mean(axis=(0, 1, 2)), abs=1e-3)

    grey = (GREY[0, 0].double().numpy() + 1) / 2
    tinted = rgb2lab(np.stack([grey] * 3, axis=-1))
    tinted[..., 1:] = trivial.a, trivial.b
    expected = lab2rgb(tinted).clip(0, 1) * 2 - 1
    np.testing.assert_allclose(trivial.predict(GREY)[0].permute(1, 2, 0).numpy(), expected, atol=2e-3)


def test_without_training_images_there_is_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one training image"):
        mean_chroma(np.zeros((0, 8, 8, 3), dtype=np.uint8))
