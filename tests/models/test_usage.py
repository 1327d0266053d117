"""What using a network costs."""

import pytest
import torch
from torch import nn

from models.architectures import architecture
from models.settings import ModelSettings
from models.usage import _Held, measure_usage

CPU = torch.device("cpu")


def test_parameters_and_multiply_adds_are_those_of_the_layers():
    small, large = (
        measure_usage(architecture("unet"), ModelSettings(width=width), 32, CPU) for width in (4, 8)
    )
    assert 3.5 < large.weights / small.weights < 4.1
    assert 3 < large.multiply_adds / small.multiply_adds < 4.1
    assert small.milliseconds > 0
    assert small.peak_bytes > 4 * small.weights


def test_multiply_adds_grow_with_the_image_and_vgg16_is_counted():
    unet = [measure_usage(architecture("unet"), ModelSettings(width=4), side, CPU) for side in (32, 64)]
    assert unet[1].multiply_adds == pytest.approx(4 * unet[0].multiply_adds)
    koalarization = measure_usage(architecture("koalarization"), ModelSettings(width=4), 32, CPU)
    assert koalarization.weights > 14_000_000


def test_memory_is_what_is_alive_at_the_same_time():
    grow, shrink = nn.Linear(10, 1000, bias=False), nn.Linear(1000, 10, bias=False)
    x = torch.zeros(1, 10)
    with torch.inference_mode(), _Held() as seen:
        for _ in range(3):
            x = shrink(grow(x))
    assert 4000 + 40 <= seen.most <= 4000 + 2 * 40
