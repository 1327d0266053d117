"""Training losses, in float32 whatever the networks' precision; call them outside autocast.

x is the grey image, y its true colour, G the generator, D the discriminator's probability, ε the buffer
inside the logarithm (not Adam's ε).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from models.collectives import mean
from models.errors import ModelError

_NEGLIGIBLE = 1e-6
"""Mean gradient, of at most 1, below which a player has nothing to learn."""


def mean_squared_error(prediction: Tensor, colour: Tensor) -> Tensor:
    """Mean of (G(x) − y)² over all values; B×C×H×W each → scalar."""
    return functional.mse_loss(prediction.float(), colour)


def mean_absolute_error(prediction: Tensor, colour: Tensor) -> Tensor:
    """Mean of |G(x) − y| over all values; B×C×H×W each → scalar."""
    return functional.l1_loss(prediction.float(), colour)


def pixel_loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss called `name`: `mse` or `l1`.

    Raises:
        ModelError: The name is neither.
    """
    if name not in PIXEL_LOSSES:
        raise ModelError(f"Unknown loss {name!r}; choose {' or '.join(PIXEL_LOSSES)}.")
    return PIXEL_LOSSES[name]


PIXEL_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": mean_squared_error,
    "l1": mean_absolute_error,
}


class AdversarialLoss(Protocol):
    """Both players' losses on D's logits (B each) → scalars."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """D's loss on the logits of true and of predicted colours."""
        ...

    def generator(self, fake: Tensor) -> Tensor:
        """G's adversarial loss on the logits of predicted colours, without the λ-weighted L1 term."""
        ...

    def gradient_left(self, real: Tensor, fake: Tensor) -> Tensor:
        """The share in [0, 1] of the exact loss's gradient that the player who has less of it receives."""
        ...


@dataclass(frozen=True)
class ProbabilityLoss:
    """The loss on probabilities, ε inside the logarithm (Goodfellow et al. 2014, non-saturating G).

    ε bends gradients where D is sure of itself: at logit −28 and ε = 1e-12 G receives 0.41 of the exact
    gradient, at logit −20 and ε = 1e-6 0.002 of it.
    """

    epsilon: float

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """−mean[ log(D(x, y) + ε) + log(1 − D(x, G(x)) + ε) ]."""
        on_real = torch.log(probability(real) + self.epsilon)
        on_fake = torch.log(1 - probability(fake) + self.epsilon)
        return -(on_real + on_fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """−mean[ log(D(x, G(x)) + ε) ]."""
        return -torch.log(probability(fake) + self.epsilon).mean()

    def gradient_left(self, real: Tensor, fake: Tensor) -> Tensor:
        """Σ |gradient| / Σ |exact gradient| over the logits of all ranks, of D and of G; the lower one.

        The exact gradient of −log σ(z) is 1 − σ(z) = σ(−z); ε and rounding leave p (1 − p) / (p + ε) of it, where p
        is the float32 sigmoid. At logit −10 and ε = 4.6e-4 that is 9 %. A player who has nothing to learn loses none.
        """
        p_real, p_fake = probability(real), probability(fake)
        of_d = self._left(torch.cat([p_real, 1 - p_fake]), torch.cat([probability(-real), p_fake]))
        return torch.minimum(of_d, self._left(p_fake, probability(-fake)))

    def _left(self, p: Tensor, exact: Tensor) -> Tensor:
        there = p * (1 - p) / (p + self.epsilon).clamp(min=torch.finfo(p.dtype).tiny)
        return 1 - mean(exact - there) / mean(exact).clamp(min=_NEGLIGIBLE)


@dataclass(frozen=True)
class LogitsLoss:
    """The same loss with ε = 0, exact for every logit.

    −log σ(z) = softplus(−z) and −log(1 − σ(z)) = softplus(z).
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """mean[ softplus(−real) + softplus(fake) ]."""
        on_real = functional.binary_cross_entropy_with_logits(real.float(), torch.ones_like(real).float())
        on_fake = functional.binary_cross_entropy_with_logits(fake.float(), torch.zeros_like(fake).float())
        return on_real + on_fake

    def generator(self, fake: Tensor) -> Tensor:
        """mean[ softplus(−fake) ]."""
        return functional.binary_cross_entropy_with_logits(fake.float(), torch.ones_like(fake).float())

    def gradient_left(self, real: Tensor, fake: Tensor) -> Tensor:
        """All of it."""
        return torch.ones((), device=real.device)


def adversarial_loss(form: str, epsilon: float) -> AdversarialLoss:
    """The loss called `form`: `probability` (uses ε) or `logits` (does not).

    Raises:
        ModelError: The form is neither.
    """
    if form == "probability":
        return ProbabilityLoss(epsilon)
    if form == "logits":
        return LogitsLoss()
    raise ModelError(f"Unknown GAN loss {form!r}; choose probability or logits.")


def probability(logits: Tensor) -> Tensor:
    """Sigmoid in float32; in [0, 1], exactly 1 from a logit of about 17 on."""
    return torch.sigmoid(logits.float())
