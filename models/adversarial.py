"""Learning against a discriminator: the conditional GAN."""

import torch
from torch import Tensor, nn

from models.hardware import adam, autocast
from models.learner import Batch, Learner
from models.losses import adversarial_loss, mean_absolute_error, probability
from models.settings import ModelSettings

BETA1 = 0.5  # Radford et al. 2016 and Isola et al. 2017: 0.9 makes the two players oscillate


class AdversarialLearner(Learner):
    """A generator against a discriminator, each with its own Adam.

    Args:
        generator: Grey → RGB.
        discriminator: Grey and RGB → logit.
        learning_rate: The generator's.
        discriminator_learning_rate: The discriminator's.
        l1_weight: λ of the L1 term in the generator's loss.
        epsilon: ε inside the logarithms; without effect with the logits loss.
        settings: Fixed choices of the study.
        device: Where to compute.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        learning_rate: float,
        discriminator_learning_rate: float,
        l1_weight: float,
        epsilon: float,
        settings: ModelSettings,
        device: torch.device,
    ) -> None:
        super().__init__({"generator": generator, "discriminator": discriminator}, settings, device)
        self.discriminator = self.modules["discriminator"]
        decay = settings.recipe.weight_decay
        self.optimizers["generator"] = adam(self.generator.parameters(), learning_rate, BETA1, decay)
        self.optimizers["discriminator"] = adam(
            self.discriminator.parameters(), discriminator_learning_rate, BETA1, decay
        )
        self.l1_weight = l1_weight
        self.adversarial = adversarial_loss(settings.gan_loss, epsilon)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """The discriminator's step, then the generator's against the new discriminator.

        Reports both losses, the two terms of the generator's, the discriminator's mean probability on true
        and on predicted colours before its step, and what ε leaves of the exact gradient.
        """
        self._set_training(True)
        fake = self._colour(batch.grey, batch.features)  # one forward pass of G serves both steps
        report = self._discriminator_step(batch, fake.detach())
        return report | self._generator_step(batch, fake)

    def _discriminator_step(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        with autocast(self.device, self.precision):
            on_real = self.discriminator(batch.grey, batch.colour)  # B
            on_fake = self.discriminator(batch.grey, fake)  # B
        loss = self.adversarial.discriminator(on_real, on_fake)
        optimizer = self.optimizers["discriminator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            return {
                "discriminator_loss": loss.detach(),
                "discriminator_real": probability(on_real).mean(),
                "discriminator_fake": probability(on_fake).mean(),
                "gradient_left": self.adversarial.gradient_left(on_real, on_fake),
            }

    def _generator_step(self, batch: Batch, fake: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)  # its weights' gradients would be computed for nothing
        with autocast(self.device, self.precision):
            on_fake = self.discriminator(batch.grey, fake)  # B
        adversarial = self.adversarial.generator(on_fake)
        l1 = mean_absolute_error(fake, batch.colour)
        loss = adversarial + self.l1_weight * l1
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        self.discriminator.requires_grad_(True)
        return {
            "generator_loss": loss.detach(),
            "adversarial_loss": adversarial.detach(),
            "l1_loss": l1.detach(),
        }
