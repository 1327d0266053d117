"""A fourth architecture in one file: dilated convolutions that see far without ever shrinking the image.

    python -m study.launch demo --name plug --plugins "[examples/tiny_colorizer.py]" \
        --architectures "[koalarization, unet, cgan, tiny]"

An architecture is three things: a network, a learner that trains it, and an `Architecture` that tells the study how
to build both and what to search.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from models.architectures import Architecture, Float, register
from models.definition import Parameters
from models.learner import Batch, Learner
from models.settings import ModelSettings


class TinyColorizer(nn.Module):
    """Grey image → RGB image, both in [−1, 1]; 0.1 M parameters at width 64.

    Dilations as in F. Yu, V. Koltun: "Multi-Scale Context Aggregation by Dilated Convolutions", ICLR 2016.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(1, width, 3, padding=1)
        self.context = nn.ModuleList(nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in (2, 4, 8))
        self.to_rgb = nn.Conv2d(width, 3, 1)

    def forward(self, grey: Tensor) -> Tensor:
        """B×1×H×W → B×3×H×W."""
        x = torch.relu(self.enter(grey))  # B×W×H×W
        for layer in self.context:
            x = x + torch.relu(layer(x))  # B×W×H×W, each pixel sees twice as far
        return torch.tanh(self.to_rgb(x))  # B×3×H×W


class TinyLearner(Learner):
    """Minimises the mean absolute error with AdamW (Loshchilov & Hutter 2019)."""

    def __init__(self, settings: ModelSettings, parameters: Parameters, device: torch.device) -> None:
        super().__init__({"generator": TinyColorizer(settings.width)}, settings, device)
        self.optimizers["generator"] = torch.optim.AdamW(
            self.generator.parameters(),
            lr=float(parameters["learning_rate"]),
            weight_decay=float(parameters["weight_decay"]),
        )

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of AdamW; reports `loss`."""
        self._set_training(True)
        loss = l1_loss(self._colour(batch.grey, batch.features).float(), batch.colour)
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return {"loss": loss.detach()}


register(
    Architecture(
        name="tiny",
        build=TinyLearner,
        search_space={"learning_rate": Float(1e-4, 1e-1), "weight_decay": Float(1e-6, 1e-1)},
        textbook={"learning_rate": 1e-3, "weight_decay": 1e-2},
        stride=1,
        losses=("loss",),
    )
)
