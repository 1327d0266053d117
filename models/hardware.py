"""Where and how precisely to compute: device, precision, memory format and optimizer by hardware."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from models.errors import ModelError
from models.settings import ModelSettings

NARROW = 32  # on CPUs, NHWC took 0.63 to 0.86 of NCHW's time below this width and 0.94 to 1.07 from it on


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto` is the first CUDA GPU, or the CPU where there is none.

    Apple's `mps` is taken only by name, since nothing has been measured on it.

    Raises:
        ModelError: The name is no device, or this machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"Unknown device {name!r}; choose auto, cpu, cuda or mps.") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise ModelError(f"Device {name!r} is not supported; choose auto, cpu, cuda or mps.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError(f"Device {name!r} is not on this machine; choose auto or cpu.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelError(f"Device {name!r} is not on this machine; choose auto or cpu.")
    return device


def bound_memory(device: torch.device, share: float) -> None:
    """Hold this process to its share of a GPU's memory, so that the trials beside it keep theirs.

    Beyond it, allocations of this process alone raise `torch.OutOfMemoryError`. Without effect on a CPU.

    Args:
        device: Where the process computes.
        share: Of the device; from 1 on there is no bound.
    """
    if device.type == "cuda" and share < 1:
        torch.cuda.set_per_process_memory_fraction(share, device.index)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The number format of the networks' forward pass.

    Args:
        name: `float32`, `bfloat16` or `auto`. `auto` is bfloat16 on GPUs that compute it in hardware and
            float32 elsewhere: on CPUs without bfloat16 instructions it is ten times slower than float32.
        device: Where the networks will run.

    Raises:
        ModelError: The name is none of the three.
    """
    if name == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float32
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    raise ModelError(f"Unknown precision {name!r}; choose auto, float32 or bfloat16.")


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Context in which networks run at `precision`; without effect for float32."""
    return torch.autocast(device.type, dtype=precision) if precision is torch.bfloat16 else nullcontext()


def memory_format(device: torch.device, width: int) -> torch.memory_format:
    """Layout of weights and activations: NHWC for tensor cores and for narrow networks, else NCHW."""
    nhwc = device.type == "cuda" or width < NARROW
    return torch.channels_last if nhwc else torch.contiguous_format


def place(network: nn.Module, device: torch.device, settings: ModelSettings) -> nn.Module:
    """Move a network to the device in the layout that is fast there, and compile it if settings say so."""
    layout = memory_format(device, settings.width)
    network = network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    if settings.compile:
        network.compile()  # in place, so the names in state_dict stay what they are
    return network


def adam(
    parameters: Iterable[nn.Parameter], learning_rate: float, beta1: float, weight_decay: float = 0.0
) -> torch.optim.Adam:
    """Adam (Kingma & Ba 2015) with β₂ = 0.999, in one fused kernel instead of several per parameter.

    With `weight_decay` it is AdamW (Loshchilov & Hutter 2019).
    """
    kind = torch.optim.AdamW if weight_decay else torch.optim.Adam
    return kind(parameters, lr=learning_rate, betas=(beta1, 0.999), weight_decay=weight_decay, fused=True)
