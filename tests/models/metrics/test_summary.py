import math

import numpy as np
import pytest
import torch

from models.metrics import METRICS, OBJECTIVE, image_quantities, summarise
from models.metrics.image import entropy


def test_means_and_ratios_of_means() -> None:
    row = summarise(
        {
            "ciede2000": np.array([1.0, 3.0]),
            "colourfulness": torch.tensor([10.0, 20.0]),
            "colourfulness_true": torch.tensor([1.0, 59.0]),
        }
    )
    assert row["ciede2000"] == 2
    assert row["colourfulness_ratio"] == pytest.approx(0.5)


def test_a_colourless_truth_has_no_ratio() -> None:
    assert math.isnan(summarise({"saturation": [1.0], "saturation_true": [0.0]})["saturation_ratio"])


def test_every_metric_of_the_table_is_summarised() -> None:
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    row = summarise(image_quantities(images, -images))
    assert OBJECTIVE in METRICS
    assert set(METRICS) <= set(row)
    assert all(math.isfinite(row[name]) for name in METRICS)


def test_hues_are_pooled_over_images() -> None:
    one_hue_each = np.zeros((2, 36))
    one_hue_each[0, 3] = one_hue_each[1, 20] = 5.0
    row = summarise({"hue_histogram": one_hue_each, "hue_histogram_true": torch.ones(2, 36)})
    assert row["pooled_hue_entropy"] == pytest.approx(1)
    assert row["pooled_hue_entropy_ratio"] == pytest.approx(1 / math.log2(36))
    assert entropy(torch.from_numpy(one_hue_each)).tolist() == [0, 0]


def test_no_values_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'psnr'"):
        summarise({"psnr": np.array([])})
