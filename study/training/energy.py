"""The energy that GPUs have used, by their driver's counter."""

from __future__ import annotations

from typing import Any

import pynvml
import torch


class EnergyMeter:
    """Reads the energy counter of a trial's devices (NVML, GPUs since Volta).

    Args:
        device: The trial's device; only CUDA devices have a counter.
        count: How many the trial uses; of several, they are the first that the process sees.
    """

    def __init__(self, device: torch.device, count: int = 1) -> None:
        self._handles = gpu_handles(device, count)

    def joules(self) -> float | None:
        """Energy of the whole devices since their driver was loaded; None if it is not reported."""
        if not self._handles:
            return None
        try:
            return sum(float(pynvml.nvmlDeviceGetTotalEnergyConsumption(one)) for one in self._handles) / 1e3
        except pynvml.NVMLError:
            return None


def gpu_handles(device: torch.device, count: int = 1) -> list[Any]:
    """NVML's handles of a trial's devices; none where it has no GPU, or the driver's library is missing.

    Args:
        device: The trial's device.
        count: How many it uses; of several, they are the first that the process sees.
    """
    if device.type != "cuda":
        return []
    devices = [device] if count == 1 else [torch.device("cuda", number) for number in range(count)]
    # CUDA_VISIBLE_DEVICES renumbers devices
    identities = [torch.cuda.get_device_properties(one).uuid for one in devices]
    try:
        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{one}") for one in identities]
    except pynvml.NVMLError:  # no driver library, or a device without a counter of its own
        return []
