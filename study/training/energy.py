"""The energy that a GPU has used, by its driver's counter."""

from __future__ import annotations

import pynvml
import torch


class EnergyMeter:
    """Reads a device's energy counter (NVML, GPUs since Volta).

    Args:
        device: The trial's device; only CUDA devices have a counter.
    """

    def __init__(self, device: torch.device) -> None:
        self._handle = None
        if device.type != "cuda":
            return
        identity = torch.cuda.get_device_properties(device).uuid  # CUDA_VISIBLE_DEVICES renumbers devices
        try:
            pynvml.nvmlInit()
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
        except pynvml.NVMLError:  # no driver library, or a device without a counter of its own
            self._handle = None

    def joules(self) -> float | None:
        """Energy of the whole device since its driver was loaded; None if it is not reported."""
        if self._handle is None:
            return None
        try:
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3
        except pynvml.NVMLError:
            return None
