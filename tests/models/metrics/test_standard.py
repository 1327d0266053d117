import pytest
import torch
from skimage.data import astronaut
from skimage.transform import resize

import models.torchvision_shim  # noqa: F401
from models.metrics.standard import psnr, ssim
from tests.support.reference_metrics import inner_ssim

# isort: split
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    truth = torch.from_numpy(resize(astronaut(), (96, 80))).permute(2, 0, 1)[None].float()
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    return (truth + 0.1 * noise).clamp(0, 1), truth


def test_the_values_are_those_of_torchmetrics(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    assert psnr(*pair).item() == pytest.approx(
        peak_signal_noise_ratio(*pair, data_range=1.0).item(), rel=1e-5
    )
    expected = structural_similarity_index_measure(*pair, data_range=1.0, sigma=1.5, kernel_size=11).item()
    assert ssim(*pair).item() == pytest.approx(expected, abs=1e-5)


def test_ssim_agrees_with_scikit_image_away_from_the_border(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, full = structural_similarity_index_measure(*pair, data_range=1.0, return_full_image=True)
    prediction, truth = (x[0].permute(1, 2, 0).double().numpy() for x in pair)
    assert full[..., 5:-5, 5:-5].mean().item() == pytest.approx(inner_ssim(prediction, truth), abs=1e-5)
    assert ssim(*pair).item() == pytest.approx(full.mean().item(), abs=1e-5)
