import pytest
import torch

from models.errors import ModelError
from models.luma import LumaKept, chroma, chroma_of_opponents, into_gamut, on_target, opponents
from models.metrics import luma


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_opponents_by_hand():
    red = torch.tensor([1.0, -1, -1]).view(1, 3, 1, 1)  # luma −1 + 2 · 0.299
    torch.testing.assert_close(opponents(red).flatten(), torch.tensor([-0.598, 1.402]))
    torch.testing.assert_close(chroma_of_opponents(opponents(red)), chroma(red))


def test_every_colour_is_its_luma_and_its_chroma():
    colour = noise(2, 3, 8, 8)
    grey = luma(colour)[:, None]
    torch.testing.assert_close(grey + chroma_of_opponents(opponents(colour)), colour)
    torch.testing.assert_close(into_gamut(grey, chroma(colour)), colour, rtol=0, atol=2e-6)


@pytest.mark.parametrize("strength", [0.1, 1.0, 30.0])
def test_the_luma_is_exact_for_any_chroma_and_the_colour_can_be_shown(strength):
    grey = noise(2, 1, 16, 16)
    grey[0, 0, 0, :2] = torch.tensor([-1.0, 1.0])
    wanted = chroma_of_opponents(noise(2, 2, 16, 16, seed=1) * strength)
    colour = into_gamut(grey, wanted)
    assert colour.abs().max() <= 1
    assert (luma(colour)[:, None] - grey).abs().max() < 2e-6
    shown = chroma(colour)
    cosine = torch.nn.functional.cosine_similarity(shown, wanted)
    assert cosine[shown.norm(dim=1) > 1e-2].min() > 0.999  # the hue stays


def test_a_chroma_outside_the_gamut_is_cut_at_its_face():
    grey = torch.zeros(1, 1, 1, 1)
    wanted = chroma_of_opponents(torch.tensor([-0.8, 4.0]).view(1, 2, 1, 1))
    assert into_gamut(grey, wanted)[0, 0].item() == pytest.approx(1)


class TestLumaKept:
    network = LumaKept(torch.nn.Conv2d(1, 3, 1))

    def test_training_has_gradients_where_colours_leave_the_gamut(self):
        grey = torch.full((1, 1, 2, 2), 0.9)
        with torch.no_grad():
            self.network.network.weight.copy_(torch.tensor([9.0, 0, 0]).view(3, 1, 1, 1))
        colour = self.network.train()(grey)
        assert colour.max() > 1
        assert (luma(colour)[:, None] - grey).abs().max() < 2e-6
        (gradient,) = torch.autograd.grad(colour[:, 0].sum(), self.network.network.weight)
        assert gradient.abs().min() > 0

    def test_its_prediction_can_be_shown(self):
        grey = noise(2, 1, 4, 4)
        colour = self.network.eval()(grey)
        assert colour.abs().max() <= 1
        assert (luma(colour)[:, None] - grey).abs().max() < 2e-6


def test_an_unknown_target_is_refused():
    with pytest.raises(ModelError, match="'lab'"):
        on_target(torch.nn.Identity(), "lab")
