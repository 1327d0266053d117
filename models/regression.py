"""Learning from the true colours alone: Koalarization, the U-Net and the U-Net on VGG16."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.hardware import adam
from models.learner import Batch, Learner
from models.losses import pixel_loss
from models.settings import ModelSettings

BETA1 = 0.9


class RegressionLearner(Learner):
    """Minimises one loss between what a generator gives in training and the true colours, with Adam.

    Args:
        generator: Grey (and features) → colour.
        learning_rate: Its highest.
        settings: Fixed choices of the study.
        device: Where to compute.
        needs_features: Whether the generator takes VGG16's features.
        loss: (what the generator gives in training, B×3×H×W true RGB) → scalar; by default the recipe's.
    """

    def __init__(
        self,
        generator: nn.Module,
        learning_rate: float,
        settings: ModelSettings,
        device: torch.device,
        needs_features: bool = False,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__({"generator": generator}, settings, device, needs_features)
        decay = settings.recipe.weight_decay
        self.optimizers["generator"] = adam(self.generator.parameters(), learning_rate, BETA1, decay)
        self.loss = loss or pixel_loss(settings.recipe.loss)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of Adam; reports `loss`."""
        self._set_training(True)
        loss = self.loss(self._colour(batch.grey, batch.features), batch.colour)
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return {"loss": loss.detach()}
