"""Is what a card computes right? Steps, optimizer and layout against a float32 CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from benchmarks.gpu.day import Figures, NotHereError, WrongError
from benchmarks.training_step import batch_for, our_learner
from models.architectures import architecture, seeded_build
from models.hardware import adam, autocast
from models.learner import Learner
from models.settings import ModelSettings, Recipe

CPU = torch.device("cpu")
BATCH = 4


@dataclass(frozen=True)
class Bounds:
    """How far a step may be off.

    Attributes:
        loss: Of each loss; a share of those above 1.
        gradient: Of each network: norm of the difference over that of the gradient.
    """

    loss: float
    gradient: float


# bfloat16 keeps 8 bits: on a CPU, losses are off by up to 0.0007, and gradients, those of the discriminator, by 0.22.
BOUNDS = {"float32": Bounds(1e-3, 1e-2), "bfloat16": Bounds(0.02, 0.4)}


@contextmanager
def exactly() -> Iterator[None]:
    """Convolutions in true float32: by torch's default a GPU rounds their factors to TF32."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def close(name: str, off: float, allowed: float) -> dict[str, float]:
    """A difference as a figure.

    Raises:
        WrongError: It is larger than allowed, or not a number.
    """
    if not off <= allowed:
        raise WrongError(f"{name} off by {off:.3g}, allowed are {allowed:g}")
    return {f"{name} off by": off}


def worst(off: Mapping[str, float]) -> tuple[str, float]:
    """The quantity that is off by most, with NaN beyond all, and by how much."""
    name = max(off, key=lambda name: (math.isnan(off[name]), off[name]))
    return name, off[name]


def distance(found: Tensor, expected: Tensor) -> float:
    """Norm of the difference over that of what is expected."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    return float((found - expected).norm() / expected.norm().clamp(min=1e-12))


def step(name: str, precision: str, width: int, size: int, device: torch.device) -> Figures:
    """One step of an architecture against the same step on the CPU in float32."""
    losses, gradients = _reference(name, width, size)
    learner = our_learner(name, width, device, precision=precision)
    batch = batch_for(name, device, BATCH, size)
    with exactly():
        report = learner.train_step(batch)
    bounds = BOUNDS[precision]
    off = {key: abs(float(report[key]) - value) / max(1.0, abs(value)) for key, value in losses.items()}
    figures: Figures = close(*worst(off), bounds.loss)
    for network, expected in gradients.items():
        figures |= close(
            f"{network}'s gradient", distance(_gradient(learner, network), expected), bounds.gradient
        )
    return figures


@cache
def _reference(name: str, width: int, size: int) -> tuple[dict[str, float], dict[str, Tensor]]:
    learner = our_learner(name, width, CPU, precision="float32")
    report = learner.train_step(batch_for(name, CPU, BATCH, size))
    gradients = {network: _gradient(learner, network) for network in learner.modules}
    return {key: float(value) for key, value in report.items()}, gradients


def _gradient(learner: Learner, network: str) -> Tensor:
    found = [one.grad for one in learner.modules[network].parameters() if one.grad is not None]
    return torch.cat([one.detach().float().cpu().flatten() for one in found])


def fused_adam(device: torch.device) -> Figures:
    """Five steps of our Adam and AdamW on NHWC weights, against torch's plain one on the CPU."""
    figures: Figures = {}
    for weight_decay in (0.0, 0.1):
        ours, plain = _weights(device, torch.channels_last), _weights(CPU, torch.contiguous_format)
        kind = torch.optim.AdamW if weight_decay else torch.optim.Adam
        fused = adam(ours, 1e-3, 0.9, weight_decay)
        single = kind(plain, lr=1e-3, betas=(0.9, 0.999), weight_decay=weight_decay, foreach=False)
        for number in range(5):
            generator = torch.Generator().manual_seed(number)
            for mine, other in zip(ours, plain, strict=True):
                other.grad = torch.randn(other.shape, generator=generator)
                mine.grad = torch.empty_like(mine).copy_(other.grad)
            fused.step()
            single.step()
        off = max(
            float((a.detach().cpu() - b.detach()).abs().max()) for a, b in zip(ours, plain, strict=True)
        )
        figures |= close("AdamW" if weight_decay else "Adam", off, 5e-6)
    return figures


def _weights(device: torch.device, layout: torch.memory_format) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    convolution = torch.randn(32, 16, 3, 3, generator=generator)
    bias = torch.randn(32, generator=generator)
    return [nn.Parameter(convolution.to(device, memory_format=layout)), nn.Parameter(bias.to(device))]


def layout(name: str, width: int, size: int, device: torch.device) -> Figures:
    """The layout that networks are placed in, against NCHW; and how many convolutions answer in NHWC."""
    learner = our_learner(name, width, device, precision="float32")
    batch = batch_for(name, device, BATCH, size)
    answers: list[bool] = []

    def note(_: nn.Module, __: object, answer: Tensor) -> None:
        answers.append(answer.is_contiguous(memory_format=torch.channels_last))

    convolutions = [
        one for one in learner.generator.modules() if isinstance(one, nn.Conv2d | nn.ConvTranspose2d)
    ]
    handles = [one.register_forward_hook(note) for one in convolutions]
    with exactly():
        found = learner.predict(batch.grey, batch.features)
        for handle in handles:
            handle.remove()
        learner.generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        off = distance(found, learner.predict(batch.grey, batch.features))
    return close("prediction", off, 1e-3) | {"convolutions in NHWC": f"{sum(answers)} of {len(answers)}"}


def autocast_dtype(device: torch.device) -> Figures:
    """Within our autocast a convolution answers in bfloat16, and outside in float32."""
    convolve = nn.Conv2d(4, 8, 3).to(device)
    x = torch.rand(2, 4, 16, 16, device=device)
    with autocast(device, torch.bfloat16):
        within = convolve(x).dtype
    if (within, convolve(x).dtype) != (torch.bfloat16, torch.float32):
        raise WrongError(
            f"a convolution answers in {within} within autocast and in {convolve(x).dtype} outside"
        )
    chosen = our_learner("unet", 4, device).precision
    return {"precision of a study": str(chosen).removeprefix("torch.")}


def no_waiting(name: str, width: int, size: int, device: torch.device) -> Figures:
    """Steps with averaged weights, during which torch refuses whatever makes the host wait for the device."""
    if device.type != "cuda":
        raise NotHereError("needs a GPU; on a CPU the test suite looks for reads instead")
    one = architecture(name)
    searched = {"loss": "balanced_bins"} if "loss" in one.textbook else {}
    settings = ModelSettings(width=width, target="luma_kept", recipe=Recipe("l1", ema=0.99, weight_decay=0.1))
    learner = seeded_build(one, settings, {**one.textbook, **searched}, device, seed=0)
    batch = batch_for(name, device, BATCH, size)

    def steps(count: int) -> None:
        for _ in range(count):
            torch.stack(list(learner.train_step(batch).values()))
            learner.update_average()

    steps(3)  # what is made once, is made now
    torch.cuda.set_sync_debug_mode("error")
    try:
        steps(5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return {"steps": 5}
