import pytest
import torch

from models.architectures import architecture, seeded_build
from models.errors import ModelError
from models.hardware import bound_memory, choose_device, choose_precision, memory_format
from models.settings import ModelSettings
from tests.support.synthetic import CPU, images


def test_auto_takes_the_gpu_where_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto").type == expected
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "meta"])
def test_a_device_this_machine_lacks_is_refused_by_name(name):
    with pytest.raises(ModelError, match=f"'{name}'"):
        choose_device(name)


def test_trials_that_share_a_gpu_are_each_held_to_their_share(monkeypatch):
    bounds = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda *bound: bounds.append(bound))
    bound_memory(torch.device("cuda"), 0.25)
    bound_memory(torch.device("cuda"), 1.0)
    bound_memory(CPU, 0.25)
    assert bounds == [(0.25, None)]


def test_precision_by_device():
    assert choose_precision("auto", CPU) == torch.float32
    assert choose_precision("bfloat16", CPU) == torch.bfloat16
    assert choose_precision("float32", torch.device("cuda")) == torch.float32
    with pytest.raises(ModelError, match="'fp8'"):
        choose_precision("fp8", CPU)


def test_layout_by_device_and_width():
    assert memory_format(torch.device("cuda"), 64) == torch.channels_last
    assert memory_format(CPU, 16) == torch.channels_last
    assert memory_format(CPU, 64) == torch.contiguous_format


@pytest.mark.parametrize("name", ["koalarization", "unet", "cgan", "vggunet"])
def test_bfloat16_stays_near_float32_and_gives_float32_out(name):
    one = architecture(name)
    reports = {}
    for precision in ("float32", "bfloat16"):
        settings = ModelSettings(width=4, precision=precision)
        learner = seeded_build(one, settings, one.textbook, CPU, 0)
        reports[precision] = learner.train_step(images(name))
        assert all(value.dtype == torch.float32 for value in reports[precision].values())
        batch = images(name, count=1)
        assert learner.predict(batch.grey, batch.features).dtype == torch.float32
        assert all(p.dtype == torch.float32 for p in learner.generator.parameters())
    for key, value in reports["float32"].items():
        torch.testing.assert_close(reports["bfloat16"][key], value, rtol=0.05, atol=0.02)


def test_apples_gpu_is_taken_by_name_where_torch_offers_it(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps").type == "mps"
    assert choose_device("auto").type != "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match="'mps' is not on this machine"):
        choose_device("mps")
