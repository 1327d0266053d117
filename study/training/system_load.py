"""What the machine of a trial was doing while it trained, under the names of MLflow's system metrics."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean

import psutil
import pynvml
import torch

from study.search.trial_spec import SYSTEM
from study.training.energy import gpu_handles

PERIOD = 1.0
"""Seconds between two samples."""


class SystemLoad:
    """Means over the samples that were taken while a trial trained.

    Of the whole machine: `cpu_utilization_percentage`, `system_memory_usage_megabytes` and
    `system_memory_usage_percentage`; of each GPU of the trial, whoever else uses it: `gpu_0_utilization_percentage`,
    `gpu_0_memory_usage_megabytes` and `gpu_0_memory_usage_percentage`.

    Args:
        device: The trial's device; only CUDA devices have samples of their own.
        count: How many of them the trial uses.
    """

    def __init__(self, device: torch.device, count: int = 1) -> None:
        self._handles = gpu_handles(device, count)
        self._samples: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take a sample every second, and one at the end, in a thread of its own."""
        done = threading.Event()
        self._samples.clear()
        psutil.cpu_percent()  # counts from here on
        thread = threading.Thread(target=self._watch, args=(done,), daemon=True, name="system load")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def means(self) -> dict[str, float]:
        """Means by metric, each with `system/` before its name."""
        return {f"{SYSTEM}{name}": round(fmean(values), 1) for name, values in self._samples.items()}

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(PERIOD):
            self._sample()
        self._sample()

    def _sample(self) -> None:
        memory = psutil.virtual_memory()
        self._note("cpu_utilization_percentage", psutil.cpu_percent())
        self._note("system_memory_usage_megabytes", memory.used / 1e6)
        self._note("system_memory_usage_percentage", 100 * memory.used / memory.total)
        for number, handle in enumerate(self._handles):
            try:
                gpu = pynvml.nvmlDeviceGetMemoryInfo(handle)
                self._note(
                    f"gpu_{number}_utilization_percentage", pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
                )
            except pynvml.NVMLError:  # a device without counters of its own
                continue
            self._note(f"gpu_{number}_memory_usage_megabytes", gpu.used / 1e6)
            self._note(f"gpu_{number}_memory_usage_percentage", 100 * gpu.used / gpu.total)

    def _note(self, name: str, value: float) -> None:
        self._samples[name].append(float(value))
