"""Learning by mean squared error: Koalarization and the U-Net."""

import torch
from torch import Tensor, nn

from models.hardware import adam
from models.learner import Batch, Learner
from models.losses import mean_squared_error
from models.settings import ModelSettings

BETA1 = 0.9


class RegressionLearner(Learner):
    """Minimises the mean squared error of a generator's RGB with Adam."""

    def __init__(
        self,
        generator: nn.Module,
        learning_rate: float,
        settings: ModelSettings,
        device: torch.device,
        needs_vectors: bool = False,
    ) -> None:
        super().__init__({"generator": generator}, settings, device, needs_vectors)
        self.optimizers["generator"] = adam(self.generator.parameters(), learning_rate, BETA1)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of Adam; reports `loss`."""
        self._set_training(True)
        loss = mean_squared_error(self._colour(batch.grey, batch.vector), batch.colour)
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return {"loss": loss.detach()}
