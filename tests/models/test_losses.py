import math

import pytest
import torch

from models.errors import ModelError
from models.losses import (
    LogitsLoss,
    ProbabilityLoss,
    adversarial_loss,
    mean_absolute_error,
    mean_squared_error,
    probability,
)

LOGITS = [-9.5, -6.0, -2.0, -0.3, 0.0, 0.7, 3.0, 6.5, 9.5]


def value_and_gradient(function, *logits):
    leaves = [one.clone().requires_grad_() for one in logits]
    value = function(*leaves)
    return value.detach(), torch.autograd.grad(value, leaves)


def reference_discriminator(epsilon):
    return lambda real, fake: (
        -(
            torch.log(1 / (1 + torch.exp(-real)) + epsilon)
            + torch.log(1 - 1 / (1 + torch.exp(-fake)) + epsilon)
        ).mean()
    )


def reference_generator(epsilon):
    return lambda fake: -torch.log(1 / (1 + torch.exp(-fake)) + epsilon).mean()


@pytest.mark.parametrize("epsilon", [1e-12, 1e-6, 1e-3])
def test_loss_and_gradients_equal_the_formulas_in_float64(epsilon):
    real, fake = torch.tensor(LOGITS), torch.tensor(LOGITS[::-1]) * 0.8
    ours = ProbabilityLoss(epsilon)
    for function, reference, logits in (
        (ours.discriminator, reference_discriminator(epsilon), (real, fake)),
        (ours.generator, reference_generator(epsilon), (fake,)),
    ):
        value, gradients = value_and_gradient(function, *logits)
        exact, exact_gradients = value_and_gradient(reference, *(one.double() for one in logits))
        assert value.dtype == torch.float32
        torch.testing.assert_close(value.double(), exact, rtol=1e-5, atol=1e-7)
        for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
            # 1 − D in float32 has an absolute error of 6e-8: at logit 7.6 that is 1e-4 of it.
            torch.testing.assert_close(gradient.double(), exact_gradient, rtol=5e-4, atol=1e-8)


def test_the_form_on_logits_agrees_below_10():
    real, fake = torch.tensor(LOGITS), torch.tensor(LOGITS[::-1])
    on_probabilities, on_logits = ProbabilityLoss(1e-12), LogitsLoss()
    for name, logits in (("discriminator", (real, fake)), ("generator", (fake,))):
        value, gradients = value_and_gradient(getattr(on_probabilities, name), *logits)
        other, other_gradients = value_and_gradient(getattr(on_logits, name), *logits)
        torch.testing.assert_close(value, other, rtol=1e-4, atol=1e-7)
        for gradient, other_gradient in zip(gradients, other_gradients, strict=True):
            torch.testing.assert_close(gradient, other_gradient, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("logit", "epsilon", "share"), [(-28.0, 1e-12, 0.41), (-20.0, 1e-6, 0.002)])
def test_epsilon_keeps_a_known_share_of_the_generators_gradient(logit, epsilon, share):
    fake = torch.tensor([logit])
    _, (bent,) = value_and_gradient(ProbabilityLoss(epsilon).generator, fake)
    _, (exact,) = value_and_gradient(LogitsLoss().generator, fake)
    assert (bent / exact).item() == pytest.approx(share, rel=0.04)


@pytest.mark.parametrize("epsilon", [1e-12, 1e-3])
def test_a_saturated_discriminator_learns_nothing_whatever_epsilon(epsilon):
    fooled = torch.tensor([17.5])
    real = torch.tensor([0.0])
    _, (_, on_fake) = value_and_gradient(ProbabilityLoss(epsilon).discriminator, real, fooled)
    _, (_, exact) = value_and_gradient(LogitsLoss().discriminator, real, fooled)
    assert on_fake.item() == 0
    assert exact.item() == pytest.approx(1)


def test_losses_of_bfloat16_logits_are_float32():
    fake = torch.tensor([7.0], dtype=torch.bfloat16)
    assert torch.sigmoid(fake) == 1
    assert probability(fake) < 1
    for loss in (ProbabilityLoss(1e-12), LogitsLoss()):
        assert loss.discriminator(fake, fake).dtype == torch.float32
        assert loss.generator(fake).item() == pytest.approx(math.log1p(math.exp(-7)), rel=1e-3)


def measured_share(epsilon: float, fake: torch.Tensor) -> float:
    """Of the exact gradient that G receives, by automatic differentiation."""
    (_, (given,)), (_, (exact,)) = (
        value_and_gradient(loss.generator, fake) for loss in (ProbabilityLoss(epsilon), LogitsLoss())
    )
    return float(given.abs().sum() / exact.abs().sum())


@pytest.mark.parametrize(
    ("logit", "epsilon", "left"), [(-10, 4.6e-4, 0.09), (-28, 1e-12, 0.41), (-3, 1e-8, 1.0)]
)
def test_the_gradient_left_is_what_automatic_differentiation_gives(logit, epsilon, left):
    fake = torch.tensor([float(logit), logit - 0.5])
    found = ProbabilityLoss(epsilon).gradient_left(torch.zeros(2), fake).item()
    assert found == pytest.approx(measured_share(epsilon, fake), rel=1e-4)
    assert ProbabilityLoss(epsilon).gradient_left(torch.zeros(1), fake[:1]).item() == pytest.approx(
        left, abs=0.01
    )


def test_a_discriminator_that_is_surely_wrong_is_stuck_and_one_that_is_right_is_not():
    sure = torch.full((4,), 30.0)
    assert ProbabilityLoss(1e-6).gradient_left(-sure, sure).item() < 1e-3
    assert ProbabilityLoss(1e-6).gradient_left(sure, torch.zeros(4)).item() == pytest.approx(1, abs=1e-4)
    assert LogitsLoss().gradient_left(-sure, -sure).item() == 1


def test_pixel_losses():
    truth = torch.zeros(2, 3, 2, 2)
    prediction = torch.full((2, 3, 2, 2), 0.5, dtype=torch.bfloat16)
    assert mean_squared_error(prediction, truth) == 0.25
    assert mean_absolute_error(prediction, truth) == 0.5


def test_an_unknown_form_is_refused_by_name():
    with pytest.raises(ModelError, match=r"'hinge'.*probability or logits"):
        adversarial_loss("hinge", 1e-6)
