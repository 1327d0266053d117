"""The plainest correct training step of each architecture, as one writes it down, with switches to add to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.synthetic import ConstantBatch
from models.discriminator import Discriminator
from models.koalarization import Koalarization
from models.learner import Learner
from models.losses import ProbabilityLoss
from models.unet import UNet
from models.vggunet import VGGUNet

L1_WEIGHT, EPSILON = 100.0, 1e-12


@dataclass(frozen=True)
class Switches:
    """What is added to the plain loop; nothing by default.

    Attributes:
        compile: Mode of `torch.compile`; `reduce-overhead` replays CUDA graphs.
    """

    bf16: bool = False
    channels_last: bool = False
    fused: bool = False
    compile: str | None = None


PLAIN = Switches()


def plain_step(
    name: str, width: int, learner: Learner, batch: ConstantBatch, rate: float, switches: Switches = PLAIN
) -> Callable[[], list[float]]:
    """A training step on networks that start as the learner's are; returns the losses.

    Args:
        name: `unet`, `koalarization`, `cgan` or `vggunet`.
        width: The learner's.
        learner: Whose weights are copied.
        batch: What every step is given.
        rate: Learning rate of all networks.
        switches: What is not plain.
    """
    generator, loss = _network(name, width)
    prepare = _Prepare(learner, rate, 0.5 if name == "cgan" else 0.9, switches)
    generator, optimize_g = prepare("generator", generator)
    inputs = [batch.grey, batch.features] if name in ("koalarization", "vggunet") else [batch.grey]

    def colour() -> Tensor:
        with torch.autocast(learner.device.type, torch.bfloat16, enabled=switches.bf16):
            return generator(*inputs)  # type: ignore[no-any-return]

    if name != "cgan":
        return lambda: [_descend(optimize_g, loss(colour().float(), batch.colour))]
    discriminator, optimize_d = prepare("discriminator", Discriminator(width))
    adversarial = ProbabilityLoss(EPSILON)

    def judge(colours: Tensor) -> Tensor:
        with torch.autocast(learner.device.type, torch.bfloat16, enabled=switches.bf16):
            return discriminator(batch.grey, colours)  # type: ignore[no-any-return]

    def step() -> list[float]:
        fake = colour()
        loss_d = _descend(optimize_d, adversarial.discriminator(judge(batch.colour), judge(fake.detach())))
        l1 = functional.l1_loss(fake.float(), batch.colour)
        loss_g = _descend(optimize_g, adversarial.generator(judge(fake)) + L1_WEIGHT * l1)
        return [loss_d, loss_g]

    return step


def _network(name: str, width: int) -> tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]:
    """The generator, and its loss where nobody judges it."""
    if name == "vggunet":
        network = VGGUNet(width)
        return network, network.loss
    return Koalarization(width) if name == "koalarization" else UNet(width), functional.mse_loss


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


@dataclass(frozen=True)
class _Prepare:
    learner: Learner
    rate: float
    beta1: float
    switches: Switches

    def __call__(self, name: str, network: nn.Module) -> tuple[nn.Module, torch.optim.Adam]:
        network.load_state_dict(self.learner.modules[name].state_dict())
        network = network.to(self.learner.device).train()
        if self.switches.channels_last:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.switches.compile:
            network.compile(mode=self.switches.compile)
        betas = (self.beta1, 0.999)
        fused = True if self.switches.fused else None
        return network, torch.optim.Adam(network.parameters(), lr=self.rate, betas=betas, fused=fused)
