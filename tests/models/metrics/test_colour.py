import numpy as np
import torch
from skimage.color import lab2rgb, rgb2lab

from models.metrics import keep_luminance, lab_to_rgb, luma, rgb_to_lab


def test_lab_agrees_with_scikit_image_down_to_black() -> None:
    rgb = np.random.default_rng(0).random((2, 16, 16, 3))
    rgb[0] *= 0.1
    rgb[0, 0, 0], rgb[0, 0, 1] = 0, 1
    lab = rgb_to_lab(torch.from_numpy(rgb).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(lab, rgb2lab(rgb), atol=3e-4)


def test_there_and_back() -> None:
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-5, rtol=0)
    lab = rgb_to_lab(rgb).permute(0, 2, 3, 1).double().numpy()
    np.testing.assert_allclose(lab2rgb(lab), rgb.permute(0, 2, 3, 1).numpy(), atol=1e-4)


def test_luma_is_bt601() -> None:
    pure = torch.eye(3).view(3, 3, 1, 1)
    torch.testing.assert_close(luma(pure).flatten(), torch.tensor([0.299, 0.587, 0.114]))


def test_kept_luminance_is_the_inputs_and_chroma_the_predictions() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = torch.rand(2, 1, 8, 8, generator=generator) * 0.4 - 0.2
    prediction = (0.2 * torch.rand(2, 3, 8, 8, generator=generator) - 0.1).requires_grad_(False)
    kept = keep_luminance(prediction, grey)
    lab, of_grey = rgb_to_lab((kept + 1) / 2), rgb_to_lab((grey.expand(-1, 3, -1, -1) + 1) / 2)
    torch.testing.assert_close(lab[:, 0], of_grey[:, 0], atol=2e-3, rtol=0)
    torch.testing.assert_close(lab[:, 1:], rgb_to_lab((prediction + 1) / 2)[:, 1:], atol=2e-3, rtol=0)


def test_kept_luminance_stays_in_range_and_leaves_its_input_alone() -> None:
    prediction = torch.empty(1, 3, 8, 8).uniform_(-3, 3, generator=torch.Generator().manual_seed(0))
    before = prediction.clone()
    kept = keep_luminance(prediction, torch.full((1, 1, 8, 8), 0.9))
    assert kept.min() >= -1
    assert kept.max() <= 1
    assert torch.equal(prediction, before)
