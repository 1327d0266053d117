"""Every metric and the trivial rows on 50 real photographs against scikit-image."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.metrics import grey_copy, image_quantities, keep_luminance, luma, mean_chroma, white
from models.metrics.standard import ssim
from tests.support.reference_metrics import inner_ssim, reference_quantities


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    """50×64×64×3."""
    fallback = Path(__file__).parents[3].parent / "shared" / "data"
    root = Path(os.environ.get("COLORIZATION_DATA", fallback))
    scenes = sorted(root.glob("dataset1/test_color/*.jpg"))[:25]
    fruit = sorted(root.glob("dataset2/ColorfulOriginal/*/*.jpg"))[::28][:25]
    if len(scenes) + len(fruit) < 50:
        pytest.skip(
            f"{root} lacks the photographs; set COLORIZATION_DATA to the folder of dataset1 and dataset2"
        )
    return np.stack([np.asarray(Image.open(p).convert("RGB").resize((64, 64))) for p in scenes + fruit])


@pytest.mark.parametrize("row", ["grey copy", "mean chroma", "white", "luminance kept"])
def test_metrics_of_the_trivial_rows_equal_scikit_image(photographs: np.ndarray, row: str) -> None:
    truth = torch.tensor(photographs).permute(0, 3, 1, 2).float() / 127.5 - 1
    grey = luma(truth)[:, None]
    if row == "grey copy":
        prediction = grey_copy(grey)
    elif row == "white":
        prediction = white(grey)
    else:
        prediction = mean_chroma(photographs).predict(grey)
    if row == "luminance kept":
        prediction = keep_luminance(prediction.roll(1, dims=0), grey)

    computed = image_quantities(prediction, truth)
    images, truths = (((x + 1) / 2).permute(0, 2, 3, 1).double().numpy() for x in (prediction, truth))
    for index in range(len(photographs)):
        for name, expected in reference_quantities(images[index], truths[index]).items():
            value = computed[name][index].item()
            assert value == pytest.approx(expected, rel=2e-3, abs=2e-3), f"{name} of photograph {index}"


def test_ssim_of_photographs_is_that_of_scikit_image(photographs: np.ndarray) -> None:
    truth = torch.tensor(photographs).permute(0, 3, 1, 2).float() / 255
    grey = luma(truth)[:, None].expand(-1, 3, -1, -1)
    expected = [
        inner_ssim(a.permute(1, 2, 0).double().numpy(), b.permute(1, 2, 0).double().numpy())
        for a, b in zip(grey, truth, strict=True)
    ]
    np.testing.assert_allclose(ssim(grey, truth).numpy(), expected, atol=1e-4)
