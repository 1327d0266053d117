import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000

from models.metrics import delta_e_2000

# Sharma, Wu, Dalal 2005, table 1: L1 a1 b1 L2 a2 b2 ΔE00.
PUBLISHED = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.49 -0.0010 50 -2.49 0.0009 7.1792
50 2.49 -0.0010 50 -2.49 0.0010 7.1792
50 2.49 -0.0010 50 -2.49 0.0011 7.2195
50 2.49 -0.0010 50 -2.49 0.0012 7.2195
50 -0.0010 2.49 50 0.0009 -2.49 4.8045
50 -0.0010 2.49 50 0.0010 -2.49 4.8045
50 -0.0010 2.49 50 0.0011 -2.49 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def as_image(lab: np.ndarray) -> torch.Tensor:
    """N×3 to 1×3×1×N."""
    return torch.from_numpy(np.ascontiguousarray(lab.T))[None, :, None]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_34_published_pairs(swapped: bool) -> None:
    table = np.array([line.split() for line in PUBLISHED.strip().splitlines()], dtype=float)
    assert len(table) == 34
    first, second = (table[:, 3:6], table[:, :3]) if swapped else (table[:, :3], table[:, 3:6])
    computed = delta_e_2000(as_image(first), as_image(second))[0, 0].numpy()
    np.testing.assert_allclose(computed, table[:, 6], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-3)])
@pytest.mark.parametrize("distance", [60.0, 3.0, 0.05])
def test_random_colours_far_and_near_agree_with_scikit_image(
    dtype: torch.dtype, tolerance: float, distance: float
) -> None:
    random = np.random.default_rng(1)
    first = random.uniform([0, -100, -100], [100, 100, 100], (20_000, 3))
    second = first + random.uniform(-distance, distance, first.shape)
    computed = delta_e_2000(as_image(first).to(dtype), as_image(second).to(dtype))[0, 0]
    error = np.abs(computed.double().numpy() - deltaE_ciede2000(first, second))
    # Two hues half a turn apart have no mean: one in ten thousand may fall on the other side in float32.
    assert np.quantile(error, 1.0 if dtype == torch.float64 else 0.9999) < tolerance


def test_colourless_and_equal_pixels() -> None:
    grey = torch.tensor([20.0, 50.0, 80.0]).view(1, 1, 1, 3) * torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert torch.equal(delta_e_2000(grey, grey), torch.zeros(1, 1, 3))
    blue = grey + torch.tensor([0, 5.0, -40.0]).view(1, 3, 1, 1)
    expected = deltaE_ciede2000(grey[0].permute(1, 2, 0).numpy(), blue[0].permute(1, 2, 0).numpy())
    np.testing.assert_allclose(delta_e_2000(grey, blue)[0].numpy(), expected, atol=1e-4)
    assert torch.equal(delta_e_2000(blue, blue), torch.zeros(1, 1, 3))


def test_nan_stays_nan() -> None:
    lab = torch.full((1, 3, 2, 2), 30.0)
    broken = lab.clone()
    broken[0, 1, 0, 0] = float("nan")
    assert delta_e_2000(broken, lab).isnan().tolist() == [[[True, False], [False, False]]]
