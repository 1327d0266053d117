"""The benchmark `peers` on a handful of photographs for a moment: every row is trained, measured and drawn."""

import os
import sys

import pytest
import torch

from benchmarks import peers
from benchmarks.measure import Options, Result
from models.architectures import ARCHITECTURES
from tests.support.tables import restored


@pytest.fixture
def restored_registry(monkeypatch):
    """As in a fresh process: no plug-in is loaded, neither before nor after."""
    restored(monkeypatch, ARCHITECTURES)
    loaded = [name for name in sys.modules if name.startswith("architecture_plugin_")]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in [name for name in sys.modules if name.startswith("architecture_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def tiny(monkeypatch, restored_registry):
    for variable in ("COLORIZATION_DATA", "COLORIZATION_WEIGHTS"):
        if variable not in os.environ:
            pytest.skip(f"set {variable} to run this test")
    monkeypatch.setattr(peers, "SETS", {"fruit": ("dataset2", 0.01)})
    monkeypatch.setattr(peers, "TRAIN_LIMIT", 16)
    monkeypatch.setattr(peers, "VALIDATION_LIMIT", 2)


def test_every_network_is_trained_measured_and_drawn(tiny, tmp_path):
    threads = torch.get_num_threads()
    options = Options(torch.device("cpu"), quick=True, pictures=tmp_path)
    rows, note = peers._compare(options, "fruit")
    torch.set_num_threads(threads)
    assert [row["network"] for row in rows] == [*peers.ROWS, "grey copy"]
    assert all(row["ΔE₀₀"] > 0 for row in rows)
    assert rows[-1]["saturation"] == pytest.approx(0, abs=1e-3)
    assert "16 training and 2 validation images" in note
    assert (tmp_path / "peers-fruit.png").stat().st_size > 1000


def test_the_claims_are_judged_by_the_table():
    def row(name, network, error, saturation=1.0):
        return {"set": name, "network": network, "ΔE₀₀": error, "saturation": saturation}

    result = Result()
    for name, error in (("fruit", 5.0), ("scenes", 11.4)):
        result.rows += [
            row(name, peers.VGGUNET, error),
            row(name, peers.VIVID, 13.0),
            row(name, peers.TEXTBOOK_UNET, 9.0),
            row(name, peers.RECIPE_UNET, 7.5),
        ]
    peers._judge(result)
    reached = {goal.text: goal.reached for goal in result.goals}
    assert reached["fruit: VGG16 U-Net ≤ 5.2 ΔE₀₀"]
    assert reached["fruit: VGG16 U-Net / the next best ≤ 1"]
    assert not reached["scenes: VGG16 U-Net ≤ 11.3 ΔE₀₀"]
    assert reached["fruit: the recipe's gain over the textbook's U-Net ≥ 1 ΔE₀₀"]


def test_the_peers_unet_reaches_one_pixel_and_comes_back(restored_registry):
    from benchmarks.peer_architectures import Pix2PixUNet

    network = Pix2PixUNet(4)
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 2, 64, 64)
    deepest = torch.zeros(2, 1, 64, 64)
    for level in network.down:
        deepest = level(deepest)
    assert deepest.shape == (2, 32, 1, 1)
