"""Which predictions count as a collapsed training, and the best constant tint."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from models.metrics import MeanChroma, grey_copy, luma, mean_chroma, white
from models.metrics.collapse import collapsed
from models.metrics.image import image_quantities
from models.metrics.tint import best_tint


class Images(NamedTuple):
    grey: torch.Tensor
    colour: torch.Tensor
    features: None = None


def colourful(seed: int, count: int = 12) -> Images:
    """Patches of orange, green and grey; orange is most frequent."""
    generator = torch.Generator().manual_seed(seed)
    palette = torch.tensor([[0.8, 0.4, 0.1], [0.8, 0.45, 0.15], [0.2, 0.6, 0.3], [0.5, 0.5, 0.5]]) * 2 - 1
    patches = palette[torch.randint(4, (count, 4, 4), generator=generator)].permute(0, 3, 1, 2)
    colour = torch.nn.functional.interpolate(patches, size=16)
    colour = (colour + 0.1 * torch.randn(colour.shape, generator=generator)).clamp(-1, 1)
    return Images(luma(colour)[:, None], colour)


def uint8(colour: torch.Tensor) -> np.ndarray:
    return ((colour + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


TRAIN, VALIDATION = colourful(1), colourful(2)
TINT = best_tint(uint8(TRAIN.colour), np.arange(12))


def error(tint: MeanChroma, images: Images) -> float:
    return float(image_quantities(tint.predict(images.grey), images.colour, quick=True)["ciede2000"].mean())


def test_no_other_tint_is_better_than_the_best_one():
    best = error(TINT, TRAIN)
    assert best < error(mean_chroma(uint8(TRAIN.colour)), TRAIN)
    assert best < error(MeanChroma(0.0, 0.0), TRAIN)
    for a in (-3.0, 0.0, 3.0):
        for b in (-3.0, 0.0, 3.0):
            assert best <= error(MeanChroma(TINT.a + a, TINT.b + b), TRAIN) + 0.05


def told(prediction: torch.Tensor) -> bool:
    return collapsed(lambda grey, _: prediction, [VALIDATION], TINT)


@pytest.mark.parametrize(
    ("name", "prediction"),
    [
        ("all white", white(VALIDATION.grey)),
        ("grey", grey_copy(VALIDATION.grey)),
        ("the best tint itself", TINT.predict(VALIDATION.grey)),
        ("one vivid colour", torch.tensor([0.9, -0.2, -0.8])[:, None, None].expand(12, 3, 16, 16)),
        ("noise", torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1),
        ("not a number", torch.full((12, 3, 16, 16), torch.nan)),
    ],
)
def test_what_needs_no_learning_is_a_collapse(name, prediction):
    assert told(prediction)


@pytest.mark.parametrize("vividness", [0.3, 0.6, 1.0])
def test_pale_colours_in_the_right_places_are_none(vividness):
    assert not told(torch.lerp(grey_copy(VALIDATION.grey), VALIDATION.colour, vividness))


def test_it_does_not_matter_how_the_images_are_batched():
    halves = [
        Images(VALIDATION.grey[:5], VALIDATION.colour[:5]),
        Images(VALIDATION.grey[5:], VALIDATION.colour[5:]),
    ]
    pale = {len(one.grey): torch.lerp(grey_copy(one.grey), one.colour, 0.5) for one in halves}
    assert not collapsed(lambda grey, _: pale[len(grey)], halves, TINT)
