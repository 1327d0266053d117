"""BatchNorm over the images of all ranks, so that several processes normalise a batch as one would.

torch's own SyncBatchNorm runs on CUDA alone and makes the host wait for the device in every forward pass.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from models.collectives import gathered, total


def synchronise(network: nn.Module) -> None:
    """Let every BatchNorm of a network, in training, take its statistics over all ranks; its weights stay."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm):
                setattr(module, name, SharedBatchNorm.like(child))


class SharedBatchNorm(_BatchNorm):
    """BatchNorm of B×C×… whose statistics are those of all ranks' images, which may be of different number."""

    @classmethod
    def like(cls, plain: _BatchNorm) -> "SharedBatchNorm":
        """One with the weights, running statistics and mode of another, under the same names."""
        shared = cls(plain.num_features, plain.eps, plain.momentum, plain.affine, plain.track_running_stats)
        shared.weight, shared.bias = plain.weight, plain.bias
        shared.running_mean, shared.running_var = plain.running_mean, plain.running_var
        shared.num_batches_tracked = plain.num_batches_tracked
        return shared.train(plain.training)

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        """B×C×… → the same shape."""
        if not self.training:
            return super().forward(input)
        mean, variance, count = _statistics(input.detach())
        self._track(mean, variance, count)
        return _normalised(input, self.weight, self.bias, mean, variance, count, self.eps)

    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        weight = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance * count / (count - 1), weight)  # the unbiased one, as torch keeps it


def _statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and biased variance (C each) of each channel over all ranks, and over how many values (scalar), in float32.

    Those of the ranks are combined after Chan, Golub & LeVeque 1979, since the mean of squares would lose digits.
    """
    variance, mean = torch.var_mean(x.float(), _all_but_channels(x), correction=0)  # C each
    count = torch.full_like(mean[:1], x.numel() // x.shape[1])  # 1
    of_ranks = gathered(torch.cat([count, mean, variance]))
    counts, means, variances = torch.split(of_ranks, [1, len(mean), len(mean)], dim=1)
    everything = counts.sum()
    shares = counts / everything  # ranks×1
    mean = (shares * means).sum(dim=0)
    return mean, (shares * (variances + (means - mean).square())).sum(dim=0), everything


class _Normalised(torch.autograd.Function):
    """(x − mean) / √(variance + ε) · weight + bias, and its gradient by x through mean and variance.

    Each rank's loss is the mean over its own images, so that the sums over all ranks that the gradient contains are
    weighted by each one's share of the values.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        epsilon: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.epsilon = epsilon
        return functional.batch_norm(x, mean, variance, weight, bias, eps=epsilon)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, count = ctx.saved_tensors
        # As if mean and variance were constants; then Σ dy·x̂ and Σ dy of this rank, C each.
        direct, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, mean, variance, None, None, False, ctx.epsilon, (True, True, True)
        )
        own = x.numel() // x.shape[1]
        summed = total(torch.stack([by_weight, by_bias]) * (own / count)) / -own
        slope, offset = (summed * torch.rsqrt(variance + ctx.epsilon)).unbind()
        if weight is not None:
            slope, offset = slope * weight, offset * weight
        through = functional.batch_norm(x, mean, variance, slope, offset, eps=ctx.epsilon)
        return direct + through, by_weight, by_bias, None, None, None, None


def _normalised(x: Tensor, *others: Any) -> Tensor:
    return _Normalised.apply(x, *others)  # type: ignore[no-any-return, no-untyped-call]


def _all_but_channels(x: Tensor) -> list[int]:
    return [axis for axis in range(x.ndim) if axis != 1]
