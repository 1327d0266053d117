import torch

from models.metrics.colour import lab_to_rgb, rgb_to_lab
from models.metrics.gamut import lab_to_rgb_in_gamut


def test_colours_inside_the_gamut_are_unchanged():
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(lab_to_rgb_in_gamut(rgb_to_lab(rgb)), rgb, atol=1e-4)


def test_colours_outside_keep_lightness_and_hue_and_lose_chroma():
    generator = torch.Generator().manual_seed(0)
    lightness = torch.rand(1, 1, 64, 64, generator=generator) * 90 + 5
    chroma = (torch.rand(1, 2, 64, 64, generator=generator) - 0.5) * 300
    lab = torch.cat([lightness, chroma], dim=1)
    raw = lab_to_rgb(lab)
    outside = ((raw < -0.01) | (raw > 1.01)).any(dim=1)[0]
    assert outside.float().mean() > 0.5
    rgb = lab_to_rgb_in_gamut(lab)
    back = rgb_to_lab(rgb)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert (back[:, 0] - lab[:, 0]).abs().mean() < 0.1
    before, after = lab[0, 1:, outside], back[0, 1:, outside]
    assert (after.norm(dim=0) < before.norm(dim=0) + 0.1).all()
    coloured = after.norm(dim=0) > 10
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=0)[coloured]
    assert cosine.min() > 0.99


def test_black_and_white_have_no_colour():
    lab = torch.tensor([[0.0, 50, -50], [100, 50, -50]]).T.reshape(1, 3, 1, 2)
    rgb = lab_to_rgb_in_gamut(lab)[0, :, 0]
    assert torch.allclose(rgb, torch.tensor([[0.0, 1]]).expand(3, 2), atol=0.01)
