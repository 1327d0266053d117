"""The moving average of a network's weights, which generalises better than the weights of the last step."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.errors import ModelError

WARM_UP = 4


class WeightAverage(AveragedModel):
    """An exponential moving average of the weights and of BatchNorm's statistics.

    Torch's own hands the number of steps to the device in every step, and waits there until it has arrived.

    Args:
        network: Whose weights are averaged.
        decay: See `weight_average`.
    """

    n_averaged: torch.Tensor  # lies on the host: reading it does not wait for the device

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__(network, use_buffers=True)
        self._decay = decay
        self.requires_grad_(False)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take the present weights of the network into the average; the first are taken as they are."""
        done = int(self.n_averaged)
        averaged = [*self.module.parameters(), *self.module.buffers()]
        current = [*model.parameters(), *model.buffers()]
        if done == 0:
            torch._foreach_copy_(averaged, current)
        else:
            update = get_ema_multi_avg_fn(min(self._decay, (1 + done) / (WARM_UP + done)))  # type: ignore[no-untyped-call]
            for dtype in {one.dtype for one in averaged}:
                update(
                    [one for one in averaged if one.dtype is dtype],
                    [one for one in current if one.dtype is dtype],
                    done,
                )
        self.n_averaged += 1


def weight_average(network: nn.Module, decay: float) -> WeightAverage | None:
    """The average of a network's weights; None for a decay of 0.

    The decay after n steps is at most (1 + n) / (4 + n): the window is no longer than about a third of the training so
    far, so that its random initial weights do not hold back a short one.

    Raises:
        ModelError: The decay is not in [0, 1).
    """
    if not 0 <= decay < 1:
        raise ModelError(f"The moving average's decay {decay} is impossible; choose one from 0 to below 1.")
    return WeightAverage(network, decay) if decay else None
