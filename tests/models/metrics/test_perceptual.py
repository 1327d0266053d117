import sys
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch

from models.errors import ModelError
from models.metrics import METRICS, perceptual


@pytest.mark.skipif(find_spec("stlpips_pytorch") is not None, reason="the extra [perceptual] is installed")
def test_without_the_extra_nothing_is_added() -> None:
    assert perceptual.register_st_lpips() is False
    assert perceptual.NAME not in METRICS


def test_a_half_installed_extra_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("stlpips_pytorch")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "stlpips_pytorch", package)
    monkeypatch.setitem(sys.modules, "stlpips_pytorch.stlpips", None)
    monkeypatch.setattr(perceptual, "METRICS", {})
    perceptual._network.cache_clear()
    with pytest.raises(ModelError, match=r"stlpips_pytorch\.stlpips.*\[perceptual\]"):
        perceptual.register_st_lpips()


def test_distance_grows_with_the_error() -> None:
    pytest.importorskip("stlpips_pytorch", reason="the extra [perceptual] is not installed")
    truth = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert perceptual.st_lpips(truth, truth).tolist() == [0, 0]
    near, far = (perceptual.st_lpips(truth * factor, truth) for factor in (0.9, 0.1))
    assert torch.all(near < far)
