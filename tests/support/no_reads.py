"""A mode in which reading a value of the device fails: on a GPU each such read makes the host wait for the device.

The device is torch's `meta`: like a GPU it is another one than the host's, and where values lie is seen exactly. Its
tensors have no values at all, so that the mode must know operations whose result's size depends on values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
# Values, or sizes that depend on values.
READS = {
    aten._local_scalar_dense.default,
    aten.equal.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
    aten.unique_dim.default,
    aten.unique_consecutive.default,
    aten.bincount.default,
    aten.repeat_interleave.Tensor,
}


class HostReadError(AssertionError):
    """A value was read."""


DEVICE = torch.device("meta")


class NoReads(TorchDispatchMode):
    """Fails at every operation that a GPU's host would wait for; what lies on the host may be read."""

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), options: Any = None
    ) -> Any:
        """Let everything pass that does not read."""
        options = options or {}
        first = next(iter(arguments), None)
        on_device = isinstance(first, torch.Tensor) and first.device.type == DEVICE.type
        if on_device and (function in READS or _goes_to_the_host(function, options)):
            raise HostReadError(f"{function} reads values of a tensor of {tuple(first.shape)}")
        if on_device and function is aten.index.Tensor and any(map(_is_mask, arguments[1])):
            raise HostReadError("a mask was used as an index, whose result has a size that must be read")
        if (
            isinstance(first, torch.Tensor)
            and not on_device
            and _number_to_the_device(function, first, options)
        ):
            raise HostReadError("a number of the host's was copied to the device, which waits like a read")
        return function(*arguments, **options)


def _goes_to_the_host(function: Any, options: dict[str, Any]) -> bool:
    target = options.get("device")
    return function is aten._to_copy.default and target is not None and target.type != DEVICE.type


def _number_to_the_device(function: Any, tensor: torch.Tensor, options: dict[str, Any]) -> bool:
    target = options.get("device")
    return (
        function is aten._to_copy.default
        and tensor.ndim == 0
        and target is not None
        and target.type == DEVICE.type
    )


def _is_mask(index: Any) -> bool:
    return index is not None and index.dtype in (torch.bool, torch.uint8)
