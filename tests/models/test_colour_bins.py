import pytest
import torch

from models.colour_bins import BINS, CENTRES, encode
from models.colour_heads import TEMPERATURE, BinsHead
from models.metrics import lab_to_rgb, luma, rgb_to_lab


def of(*colours: tuple[float, float]) -> torch.Tensor:
    """1×2×1×n a*b*."""
    return torch.tensor(colours, dtype=torch.float32).T[None, :, None]


def test_the_bins_are_the_cells_that_hold_colours_of_srgb():
    assert (BINS, CENTRES.shape) == (261, (261, 2))
    assert (CENTRES % 10 == 0).all()
    assert [0, 0] in CENTRES.tolist()
    rgb = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    cells = (rgb_to_lab(rgb)[0, 1:].flatten(1).T / 10).round() * 10
    assert {tuple(cell) for cell in cells.tolist()} <= {tuple(centre) for centre in CENTRES.tolist()}


def test_a_colour_is_shared_by_hand():
    """At a centre of the grid: itself, and four neighbours at a distance of 10; Gaussian of σ 5."""
    bins, shares = encode(of((20, 30)))
    weight = torch.exp(torch.tensor(-(10.0**2) / (2 * 5**2)))
    assert CENTRES[bins[0, 0, 0, 0]].tolist() == [20, 30]
    assert shares[0, 0, 0, 0].item() == pytest.approx((1 / (1 + 4 * weight)).item(), rel=1e-5)
    neighbours = {tuple(CENTRES[one].tolist()) for one in bins[0, 1:, 0, 0]}
    assert neighbours == {(10, 30), (30, 30), (20, 20), (20, 40)}


def test_the_nearest_bin_comes_first_and_the_shares_add_up():
    bins, shares = encode(of((7, -12), (-44, 38), (0, 0)))
    assert CENTRES[bins[0, 0, 0]].tolist() == [[10, -10], [-40, 40], [0, 0]]
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1, 1, 3))


def test_what_was_encoded_is_decoded():
    head = BinsHead(4, balanced=False)
    colours = of((20, 30), (3, -4), (-37, 22), (0, 0))
    bins, shares = encode(colours)
    logits = torch.full((1, BINS, 1, 4), -30.0).scatter(1, bins, shares.log() * TEMPERATURE)
    decoded = head.annealed_mean(logits)
    torch.testing.assert_close(decoded, colours, rtol=0, atol=2.0)  # a share's mean lies a little inwards
    torch.testing.assert_close(decoded[..., [0, 3]], colours[..., [0, 3]], rtol=0, atol=1e-3)


def test_the_annealed_mean_lies_between_mean_and_mode():
    head = BinsHead(4, balanced=False)
    one, other = (CENTRES.tolist().index(list(ab)) for ab in ((0.0, 0.0), (40.0, 0.0)))
    logits = torch.full((1, BINS, 1, 1), -30.0)
    logits[0, one], logits[0, other] = torch.log(torch.tensor([0.4, 0.6]))
    share = 0.6 ** (1 / 0.38) / (0.6 ** (1 / 0.38) + 0.4 ** (1 / 0.38))
    torch.testing.assert_close(head.annealed_mean(logits).flatten(), torch.tensor([40 * share, 0.0]))


def test_rare_colours_count_more_when_balanced():
    grey, red = torch.zeros(1, 3, 2, 30), torch.zeros(1, 3, 2, 2)
    red[:, 0], red[:, 1:] = 0.6, -0.6
    colour = torch.cat([grey, red], dim=3)  # B×3×2×32, one pixel in 16 is red
    losses = {}
    for balanced in (False, True):
        head = BinsHead(4, balanced)
        logits = torch.zeros(1, BINS, 1, 16, requires_grad=True)
        head.loss(logits, colour).backward()
        strength = logits.grad.abs().sum(dim=1)[0, 0]
        losses[balanced] = (strength[-1] / strength[0]).item()
        weights = head._weights()
        assert (weights * head.seen / head.seen.sum()).sum().item() == pytest.approx(1)
    assert losses[False] == pytest.approx(1, rel=0.1)
    # w ∝ 1 / (p/2 + 1/2Q). The grey bin keeps 0.65 of its pixels' counts: p = 15/16 · 0.65; the red one about half.
    assert losses[True] == pytest.approx((0.61 + 1 / BINS) / (0.5 / 16 + 1 / BINS), rel=0.15)


def test_bins_keep_the_luma():
    head = BinsHead(4, balanced=True)
    grey = torch.rand(1, 1, 8, 8) * 2 - 1
    colour = head.colour(grey, torch.randn(1, BINS, 4, 4) * 5)
    assert colour.abs().max() <= 1
    assert (luma(colour)[:, None] - grey).abs().max() < 2e-6


def test_a_plain_colour_survives_the_head():
    head = BinsHead(4, balanced=False)
    rgb = lab_to_rgb(torch.tensor([55.0, 20.0, 30.0]).view(1, 3, 1, 1)).expand(1, 3, 4, 4) * 2 - 1
    bins, _ = encode(of((20, 30)))
    logits = torch.full((1, BINS, 2, 2), -40.0)
    logits[0, bins[0, 0, 0, 0]] = 0
    coloured = head.colour(luma(rgb)[:, None], logits)
    torch.testing.assert_close(coloured, rgb, rtol=0, atol=0.05)
