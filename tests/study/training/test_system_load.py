"""What a trial tells of its machine, where the study wants it."""

from types import SimpleNamespace

import pynvml
import pytest
import torch

from data_utils.load_dataset import load_dataset
from models.architectures import architecture
from study.settings.schema import StudySettings
from study.tracking.names import metric_name
from study.training.data import TrialData
from study.training.system_load import SystemLoad
from study.training.trial import Trial
from tests.study.training.test_trial import EPOCHS, spec

MACHINE = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
}


@pytest.mark.parametrize("wanted", [True, False])
def test_reports_tell_of_the_machine_where_that_is_wanted(tmp_path, wanted):
    chosen = StudySettings(
        datasets={"fruit": {"root": "drawn:fruit", "train_limit": 20, "validation_limit": 8}},
        model={"image_size": 16, "width": 2, "device": "cpu", "vgg16": "random"},
        budget={"epochs": EPOCHS},
        tracking={"system_metrics": wanted},
        storage=str(tmp_path),
    )
    ((report, *_), _) = Trial(chosen, spec(), TrialData(load_dataset("drawn:fruit", 16))).advance()
    found = {name: value for name, value in report.items() if name.startswith("system/")}
    assert set(found) == (MACHINE if wanted else set())
    assert all(0 <= value <= 100 for name, value in found.items() if name.endswith("percentage"))
    assert all(metric_name(architecture("unet"), name) == name for name in found)


def test_a_trial_tells_of_its_own_gpus(monkeypatch):
    used = {"GPU-a": 30, "GPU-b": 60}
    devices = {0: SimpleNamespace(uuid="a"), 1: SimpleNamespace(uuid="b")}
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: devices[device.index])
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(
        pynvml,
        "nvmlDeviceGetMemoryInfo",
        lambda handle: SimpleNamespace(used=used[handle] * 1e6, total=100e6),
    )
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetUtilizationRates", lambda handle: SimpleNamespace(gpu=used[handle] + 1)
    )
    load = SystemLoad(torch.device("cuda", 0), 2)
    with load.watching():
        pass
    found = {name: value for name, value in load.means().items() if "gpu" in name}
    assert found == {
        "system/gpu_0_utilization_percentage": 31.0,
        "system/gpu_0_memory_usage_megabytes": 30.0,
        "system/gpu_0_memory_usage_percentage": 30.0,
        "system/gpu_1_utilization_percentage": 61.0,
        "system/gpu_1_memory_usage_megabytes": 60.0,
        "system/gpu_1_memory_usage_percentage": 60.0,
    }
