"""One training on several devices: each rank computes the gradients of its own part of every batch.

What comes out is what one device would give with the whole batch, to the rounding of sums: BatchNorm takes its
statistics over all ranks, gradients are summed before an optimizer steps, and so all ranks keep the same weights.
Sergeev & Del Balso 2018 (arXiv 1802.05799) and Li et al. 2020 (arXiv 2006.15704) describe the method.
"""

from functools import partial
from typing import Any

import torch
from torch.optim import Optimizer

from models.batch_norm import synchronise
from models.collectives import total
from models.learner import Learner


def train_together(learner: Learner, share: float) -> None:
    """Let a learner's steps be those of all ranks; the process has joined them (see `models.collectives.join`).

    All of them have a learner of the same weights and take the same number of steps, each on its own images.

    Args:
        learner: With fresh optimizers, or with loaded ones.
        share: Of each batch's images that this rank has; the shares of all ranks add up to 1.
    """
    learner.share = share
    for network in learner.modules.values():
        synchronise(network)
    for optimizer in learner.optimizers.values():
        optimizer.register_step_pre_hook(partial(_sum_gradients, share))


@torch.no_grad()
def _sum_gradients(share: float, optimizer: Optimizer, *_: Any) -> None:
    """Make each gradient that of the mean over the whole batch, in one message."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    message = total(torch.cat([gradient.flatten() for gradient in gradients]).mul_(share))
    sums = torch.split(message, [gradient.numel() for gradient in gradients])
    for gradient, summed in zip(gradients, sums, strict=True):
        gradient.copy_(summed.view(gradient.shape))
