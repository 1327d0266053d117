"""Trainings by one process or by several, for comparing them; run in processes of their own, too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.architectures import architecture, seeded_build
from models.collectives import join, leave
from models.data_parallel import train_together
from models.settings import ModelSettings, Recipe
from models.training import Trainer
from tests.support.synthetic import CPU, Images, images

COUNT, STEPS, EPOCHS = 5, 3, 2  # images of a batch: two processes have different numbers


@dataclass(frozen=True)
class Case:
    """What is trained."""

    name: str
    settings: ModelSettings = field(default_factory=partial(ModelSettings, width=4))
    parameters: dict[str, Any] = field(default_factory=dict)
    size: int = 32


RECIPE = Recipe("l1", "onecycle", ema=0.9, weight_decay=0.1)
CASES = {
    "koalarization": Case("koalarization"),
    "unet": Case("unet"),
    "cgan": Case("cgan"),
    "vggunet": Case("vggunet"),
    "unet by another recipe": Case("unet", ModelSettings(width=4, target="luma_kept", recipe=RECIPE)),
    "cgan of patches": Case("cgan", ModelSettings(width=4, gan_loss="logits"), {"discriminator": "patch"}),
    "vggunet of balanced bins": Case("vggunet", parameters={"loss": "balanced_bins"}),
}


@dataclass(frozen=True)
class Part:
    """A process's rows of batches of noise."""

    case: Case
    number: int
    size: int

    @property
    def rows(self) -> slice:
        return slice(COUNT * self.number // self.size, COUNT * (self.number + 1) // self.size)

    @property
    def share(self) -> float:
        return (self.rows.stop - self.rows.start) / COUNT

    def __len__(self) -> int:
        return STEPS

    def epoch(self, number: int) -> Iterator[Images]:
        for step in range(STEPS):
            whole = images(self.case.name, COUNT, self.case.size, seed=100 * number + step)
            yield Images(whole.grey[self.rows], whole.colour[self.rows], self._own(whole.features))

    def _own(self, features: Any) -> Any:
        if isinstance(features, tuple):
            return tuple(one[self.rows] for one in features)
        return None if features is None else features[self.rows]


@dataclass(frozen=True)
class Result:
    """What a training gave: gradients of the first step by network, losses by epoch, and everything at the end."""

    gradients: dict[str, Tensor]
    losses: list[dict[str, float]]
    tensors: dict[str, Tensor]


def trained(case: Case, number: int = 0, size: int = 1) -> Result:
    """Train as one of several processes, or alone."""
    one = architecture(case.name)
    learner = seeded_build(one, case.settings, {**one.textbook, **case.parameters}, CPU, 0)
    batches = Part(case, number, size)
    if size > 1:
        train_together(learner, batches.share)
    trainer = Trainer(learner, batches, [], None, None, EPOCHS)
    first: dict[str, Tensor] = {}
    step = learner.train_step

    def watched(batch: Images) -> dict[str, Tensor]:
        losses = step(batch)
        for name, network in learner.modules.items():
            gradients = [parameter.grad.flatten() for parameter in network.parameters()]
            first.setdefault(name, torch.cat(gradients))
        return losses

    learner.train_step = watched
    losses = [trainer.train(1) for _ in range(EPOCHS)]
    return Result(first, losses, learner.tensors())


def as_second(meeting: Path, results: Any) -> None:
    """Train every case as the second of two processes, and hand over the weights."""
    join(1, 2, meeting, CPU)
    results.send({name: digest(trained(case, 1, 2).tensors) for name, case in CASES.items()})
    leave()


def digest(tensors: dict[str, Tensor]) -> dict[str, bytes]:
    """Tensors as bytes, which travel without shared memory."""
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def die_leading(pipe: Any) -> None:
    """Start a second process for trials, tell its id, and die without a word."""
    from study.training.ranks import Leader

    leader = Leader(2, CPU)
    pipe.send(leader._followers[0].process.pid)
    os.kill(os.getpid(), signal.SIGKILL)
