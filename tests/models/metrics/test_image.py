import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor

from models.metrics import entropy, hue_histogram, image_quantities, rgb_to_lab
from tests.support.reference_metrics import hue_histogram as reference_hues
from tests.support.reference_metrics import reference_quantities

QUICK = {"ciede2000", "psnr", "ssim"} | {
    name + suffix for name in ("colourfulness", "sharpness", "white_fraction") for suffix in ("", "_true")
}


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(3, 3, 24, 20, generator=generator) * 2 - 1
    truth[0, :, :12] = 1.0
    noise = torch.randn(truth.shape, generator=generator) * 0.2
    return truth + noise, truth


def test_every_quantity_agrees_with_scikit_image(pair: tuple[Tensor, Tensor]) -> None:
    quantities = image_quantities(*pair)
    prediction, truth = (((x + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1).double().numpy() for x in pair)
    for index in range(3):
        for name, expected in reference_quantities(prediction[index], truth[index]).items():
            assert quantities[name][index].item() == pytest.approx(expected, rel=1e-3, abs=1e-3), name
        hues = reference_hues(rgb2lab(prediction[index]))
        np.testing.assert_allclose(quantities["hue_histogram"][index], hues, atol=1e-3)


def test_one_float_per_image_and_fewer_names_when_quick(pair: tuple[Tensor, Tensor]) -> None:
    full, quick = image_quantities(*pair), image_quantities(*pair, quick=True)
    assert set(quick) == QUICK
    assert set(full) > QUICK
    for name, values in full.items():
        assert values.shape == ((3, 36) if name.startswith("hue_histogram") else (3,)), name
        assert values.dtype == torch.float32, name
    for name, values in quick.items():
        assert torch.equal(values, full[name]), name


def test_a_perfect_prediction() -> None:
    truth = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    quantities = image_quantities(truth, truth)
    assert quantities["ciede2000"].tolist() == [0, 0]
    assert quantities["psnr"].tolist() == [100, 100]
    assert quantities["ssim"].tolist() == pytest.approx([1, 1])
    assert quantities["a_star_error"].tolist() == [0, 0]


def test_values_outside_the_range_are_clipped(pair: tuple[Tensor, Tensor]) -> None:
    prediction, truth = pair
    clipped = image_quantities(prediction.clamp(-1, 1), truth)
    assert all(
        torch.equal(values, clipped[name]) for name, values in image_quantities(prediction, truth).items()
    )


@pytest.mark.parametrize("side", [3, 5, 8, 10])
def test_images_smaller_than_the_ssim_window(side: int) -> None:
    truth = torch.rand(2, 3, side, side + 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    same, negative = image_quantities(truth, truth)["ssim"], image_quantities(-truth, truth)["ssim"]
    assert same.tolist() == pytest.approx([1, 1])
    assert torch.all(negative < 0.5)


def test_white_collapse_shows() -> None:
    truth = torch.zeros(1, 3, 16, 16)
    quantities = image_quantities(torch.ones_like(truth), truth)
    assert quantities["white_fraction"].item() == 1
    assert quantities["white_fraction_true"].item() == 0


def test_green_turned_red_shows_on_the_object_and_not_on_the_background() -> None:
    truth = torch.ones(2, 3, 16, 16)
    green, red = torch.tensor([-1.0, 0.2, -1.0]), torch.tensor([0.2, -1.0, -1.0])
    truth[0, :, 4:8, 4:8] = green.view(3, 1, 1)
    prediction = truth.clone()
    prediction[0, :, 4:8, 4:8] = red.view(3, 1, 1)
    prediction[1] = red.view(3, 1, 1)  # nothing of the second truth is object
    lab = rgb_to_lab((torch.stack([green, red]).view(2, 3, 1, 1) + 1) / 2)
    expected = (lab[1, 1] - lab[0, 1]).item()
    errors = image_quantities(prediction, truth)["a_star_error"].tolist()
    assert errors == pytest.approx([expected, 0.0], rel=1e-4)
    assert expected > 50


def test_few_learnt_colours_show() -> None:
    hues = torch.linspace(0, 2 * torch.pi, 65)[:-1]
    lab = torch.stack([torch.full_like(hues, 50.0), 40 * hues.cos(), 40 * hues.sin()]).view(1, 3, 8, 8)
    lab = torch.nn.functional.interpolate(lab, scale_factor=4)  # in patches, of which no block has two
    one_hue = lab.clone()
    one_hue[:, 1], one_hue[:, 2] = 40, 0
    grey = lab * torch.tensor([1.0, 0.01, 0.01]).view(1, 3, 1, 1)
    many, one, none = (entropy(hue_histogram(x)).item() for x in (lab, one_hue, grey))
    assert many == pytest.approx(np.log2(36), abs=0.1)
    assert one == 0
    assert none == 0


def test_values_do_not_depend_on_autocast(pair: tuple[Tensor, Tensor]) -> None:
    plain = image_quantities(*pair)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = image_quantities(*pair)
    assert all(torch.equal(values, under_autocast[name]) for name, values in plain.items())


def test_a_diverged_prediction_is_nan_and_does_not_raise(pair: tuple[Tensor, Tensor]) -> None:
    prediction, truth = pair
    quantities = image_quantities(torch.full_like(prediction, float("nan")), truth)
    assert quantities["ciede2000"].isnan().all()
    assert quantities["psnr"].isnan().all()
