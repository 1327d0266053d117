"""The energy counter; NVML's library is a stand-in here, since it needs a GPU's driver."""

from types import SimpleNamespace

import pynvml
import pytest
import torch

from study.training.energy import EnergyMeter

CUDA = torch.device("cuda")


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="12-ab"))


def test_a_gpu_is_found_by_its_identity_and_read_in_joules(gpu, monkeypatch):
    counters = {"GPU-12-ab": 5_500}
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", lambda handle: counters[handle])
    assert EnergyMeter(CUDA).joules() == 5.5


def test_the_energy_of_several_gpus_is_their_sum(monkeypatch):
    counters = {"GPU-0": 5_500, "GPU-1": 1_000}
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid=str(device.index))
    )
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", lambda handle: counters[handle])
    assert EnergyMeter(CUDA, 2).joules() == 6.5


def test_a_gpu_that_does_not_count_has_no_energy(gpu, monkeypatch):
    def refuse(*_):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", refuse)
    assert EnergyMeter(CUDA).joules() is None


def test_without_nvidias_library_or_on_a_cpu_there_is_no_energy(gpu):
    assert EnergyMeter(torch.device("cpu")).joules() is None
    if not torch.cuda.is_available():
        assert EnergyMeter(CUDA).joules() is None
