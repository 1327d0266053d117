"""The optimised step learns the same as the plainest correct loop."""

import pytest
import torch

from benchmarks.plain_loop import PLAIN, Switches, plain_step
from benchmarks.training_step import RATE, batch_for, our_learner

CPU = torch.device("cpu")
LOSSES = {
    "koalarization": ["loss"],
    "unet": ["loss"],
    "cgan": ["discriminator_loss", "generator_loss"],
    "vggunet": ["loss"],
}


def losses_of(name, width, steps, switches=PLAIN):
    """Losses of our step and of the plain one, steps × losses each."""
    learner, batch = our_learner(name, width, CPU), batch_for(name, CPU, 8, 32)
    plain = plain_step(name, width, learner, batch, RATE, switches)
    plain_losses = [plain() for _ in range(steps)]
    our_losses = []
    for _ in range(steps):
        report = learner.train_step(batch)
        our_losses.append([report[loss].item() for loss in LOSSES[name]])
    return torch.tensor(our_losses), torch.tensor(plain_losses)


@pytest.mark.parametrize("width", [4, 32])  # NHWC and NCHW on a CPU
@pytest.mark.parametrize("name", LOSSES)
def test_our_step_gives_the_plain_loops_loss(name, width):
    ours, plain = losses_of(name, width, steps=4)
    torch.testing.assert_close(ours, plain, rtol=2e-4, atol=1e-6)
    assert plain[0, 0] != plain[-1, 0]


def test_bf16_gives_it_within_three_percent():
    exact, rounded = losses_of("unet", 4, steps=4, switches=Switches(bf16=True))
    torch.testing.assert_close(exact, rounded, rtol=0.03, atol=0)
