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


def test_psnr_is_that_of_torchmetrics(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    assert psnr(*pair).item() == pytest.approx(
        peak_signal_noise_ratio(*pair, data_range=1.0).item(), rel=1e-5
    )


def of_scikit_image(pair: tuple[torch.Tensor, torch.Tensor]) -> float:
    prediction, truth = (x[0].permute(1, 2, 0).double().numpy() for x in pair)
    return inner_ssim(prediction, truth)


def test_ssim_is_that_of_scikit_image(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    assert ssim(*pair).item() == pytest.approx(of_scikit_image(pair), abs=1e-5)


def test_a_white_border_does_not_count_twice(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    framed = tuple(torch.nn.functional.pad(x[..., 24:72, 16:64], (8, 8, 8, 8), value=1.0) for x in pair)
    found, padded = ssim(*framed).item(), structural_similarity_index_measure(*framed, data_range=1.0).item()
    assert found == pytest.approx(of_scikit_image(framed), abs=1e-5)
    assert padded > found + 0.01
