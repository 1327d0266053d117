"""What using a trained generator costs: parameters, arithmetic, time and memory for one image."""

from __future__ import annotations

import platform
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from models.architectures import Architecture, seeded_build
from models.settings import ModelSettings
from models.vgg import vgg16_describer

_REPEATS = 11


@dataclass(frozen=True)
class Usage:
    """Of one image at the study's size, VGG16 included where the architecture needs it.

    Attributes:
        weights: Number of parameters.
        multiply_adds: Of matrix products and convolutions.
        milliseconds: Median time.
        peak_bytes: Weights, and the most that is held beside them at a time.
        device: Where time and memory were measured.
    """

    weights: int
    multiply_adds: int
    milliseconds: float
    peak_bytes: int
    device: str


def measure_usage(
    definition: Architecture, settings: ModelSettings, size: int, device: torch.device
) -> Usage:
    """Measure a network with random weights, which cost what trained ones do.

    Args:
        definition: The architecture; its textbook hyperparameters are used.
        settings: Width and precision among others.
        size: Side of the image in pixels.
        device: Where.
    """
    learner = seeded_build(definition, settings, definition.textbook, device, seed=0)
    describer = vgg16_describer(definition.features, "random").to(device) if definition.features else None
    grey = torch.zeros(1, 1, size, size, device=device)
    pixels = torch.zeros(1, size, size, dtype=torch.uint8, device=device)

    @torch.inference_mode()
    def use() -> Tensor:
        return learner.predict(grey, None if describer is None else describer(pixels))

    modules: list[nn.Module] = [learner.generator, *([] if describer is None else [describer])]
    weights = [tensor for module in modules for tensor in module.parameters()]
    float(use().mean())  # the first call chooses algorithms
    with FlopCounterMode(display=False) as counter:
        use()
    held = sum(tensor.nbytes for tensor in weights)
    return Usage(
        weights=sum(tensor.numel() for tensor in weights),
        multiply_adds=counter.get_total_flops() // 2,
        milliseconds=1e3 * median(_seconds(use) for _ in range(_REPEATS)),
        peak_bytes=held + _peak(use, device),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "CPU",
    )


def _seconds(use: Callable[[], Tensor]) -> float:
    started = time.perf_counter()
    float(use().mean())  # waits for the device
    return time.perf_counter() - started


def _peak(use: Callable[[], Tensor], device: torch.device) -> int:
    """Bytes held at a time beside what was there before."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        use()
        return torch.cuda.max_memory_allocated(device) - before
    with _Held() as seen:
        use()
    return seen.most


class _Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that are alive at a time, of those made within.

    Attributes:
        most: Their largest sum.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = 0
        self._now = 0
        self._alive: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {
            one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)
        }
        result = func(*args, **(kwargs or {}))
        for one in tree_leaves(result):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in given:
                self._count(one.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return

        def gone(_: Any) -> None:
            del self._alive[key]
            self._now -= size

        self._alive[key] = weakref.ref(storage, gone)
        self._now += size
        self.most = max(self.most, self._now)
