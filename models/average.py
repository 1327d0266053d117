"""The moving average of a network's weights, which generalises better than the weights of the last step."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.errors import ModelError

WARM_UP = 4

Tensors = tuple[Tensor, ...] | list[Tensor]


def weight_average(network: nn.Module, decay: float) -> AveragedModel | None:
    """An exponential moving average of the weights and of BatchNorm's statistics; None for a decay of 0.

    The decay after n steps is at most (1 + n) / (4 + n): the window is no longer than about a third of the training so
    far, so that its random initial weights do not hold back a short one.

    Raises:
        ModelError: The decay is not in [0, 1).
    """
    if not 0 <= decay < 1:
        raise ModelError(f"The moving average's decay {decay} is impossible; choose one from 0 to below 1.")
    if decay == 0:
        return None

    def update(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
        done = int(
            average.n_averaged
        )  # lies on the host, unlike `steps`: reading it does not wait for the device
        ema = get_ema_multi_avg_fn(min(decay, (1 + done) / (WARM_UP + done)))  # type: ignore[no-untyped-call]
        ema(averaged, current, steps)

    average = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    average.requires_grad_(False)
    return average
