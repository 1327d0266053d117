"""The learning rate over a training, as a factor of its highest value."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from models.errors import ModelError

CONSTANT = "constant"
WARM_UP, START, END = 0.3, 1 / 25, 1 / 250_000  # torch's OneCycleLR by default


def learning_rate_factor(schedule: str) -> Callable[[float], float]:
    """Factor of the learning rate at a fraction of the training.

    `cosine` falls from 1 to 0 along half a cosine (Loshchilov & Hutter 2017). `onecycle` rises from 1/25 to 1
    during the first 30 % and falls to 4e-6, both along half a cosine, as `torch.optim.lr_scheduler.OneCycleLR` does
    (Smith & Topin 2018), but for its momentum.

    Raises:
        ModelError: There is no such schedule.
    """
    if schedule == "cosine":
        return lambda done: _between(1, 0, done)
    if schedule == "onecycle":
        return lambda done: (
            _between(START, 1, done / WARM_UP)
            if done <= WARM_UP
            else _between(1, END, (done - WARM_UP) / (1 - WARM_UP))
        )
    raise ModelError(f"Unknown schedule {schedule!r}; choose constant, cosine or onecycle.")


def scheduler(optimizer: Optimizer, schedule: str, steps: int, done: int) -> LambdaLR:
    """A scheduler for a training of `steps` optimiser steps of which `done` lie behind.

    The rate depends on the step and the length alone. A training that goes on for longer than it was meant to
    therefore follows the longer schedule from where it stands, and its rate jumps up.
    """
    factor = learning_rate_factor(schedule)
    last = max(1, steps - 1)
    return LambdaLR(optimizer, lambda step: factor(min(1.0, step / last)), last_epoch=done - 1)


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
