"""The training loop: epochs, validation, and what must be kept to go on later."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from models.collectives import total
from models.errors import ModelError
from models.learner import Batch, Learner
from models.schedule import CONSTANT, scheduler

Metrics = Callable[[Tensor, Batch], dict[str, Tensor]]
Summary = Callable[[dict[str, Tensor]], dict[str, float]]


class TrainBatches(Protocol):
    """Training data whose order and augmentation depend on the epoch's number alone."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of epoch `number`, counted from 0."""
        ...

    def __len__(self) -> int:
        """Batches of an epoch."""
        ...


class Trainer:
    """Trains a learner epoch by epoch; reads nothing from any global random state.

    Args:
        learner: What is trained.
        train_batches: Gives the batches of each epoch.
        validation_batches: Gives the same batches whenever it is iterated.
        metrics: (prediction, batch), the former B×3×H×W in [−1, 1] → per-image values (B) by name.
        summarise: Per-image values of the whole split by name → one number by name.
        epochs: Length of the whole training; the recipe's schedule must know it unless it is constant.

    Attributes:
        epoch: Epochs done.
        history: What each `step` returned.
    """

    def __init__(
        self,
        learner: Learner,
        train_batches: TrainBatches,
        validation_batches: Iterable[Batch],
        metrics: Metrics,
        summarise: Summary,
        epochs: int | None = None,
    ) -> None:
        self.learner = learner
        self.train_batches = train_batches
        self.validation_batches = validation_batches
        self.metrics = metrics
        self.summarise = summarise
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self._epochs = epochs
        self._schedulers = self._fresh_schedulers()

    def step(self, epochs: int = 1) -> dict[str, float]:
        """Train, then validate.

        Args:
            epochs: How many to train before the validation; at least 1.

        Returns:
            `epoch` (epochs done), losses of the last epoch, `nonfinite_steps`, metrics, `train_seconds` and
            `validation_seconds`. Losses and metrics of a diverged model are NaN or infinite: whether to stop
            is the caller's decision.
        """
        started = time.perf_counter()
        losses = self.train(epochs)
        trained = time.perf_counter()
        metrics = self.validate()
        validated = time.perf_counter()
        seconds = {"train_seconds": trained - started, "validation_seconds": validated - trained}
        result = {"epoch": self.epoch} | losses | metrics | seconds
        self.history.append(result)
        return result

    def train(self, epochs: int) -> dict[str, float]:
        """Train without validating; returns what the last of at least one epoch gave, see `train_epoch`."""
        for _ in range(epochs):
            losses = self.train_epoch()
            self.epoch += 1
        return losses

    def train_epoch(self) -> dict[str, float]:
        """One pass over the training data: mean of each loss over the steps, and `nonfinite_steps`.

        Where several processes train together, losses are those of the whole batches.

        Raises:
            ModelError: There is no batch.
        """
        names: list[str] = []
        steps: list[Tensor] = []
        for batch in self.train_batches.epoch(self.epoch):
            losses = self.learner.train_step(batch)
            self.learner.update_average()
            for one in self._schedulers:
                one.step()
            names = list(losses)
            steps.append(torch.stack(list(losses.values())))
        if not steps:
            raise ModelError(
                "There is no training batch: fewer images than the batch size; lower batch_size."
            )
        whole = total(torch.stack(steps) * self.learner.share)  # steps × losses
        table = whole.cpu().double()  # the epoch's only wait for the device
        nonfinite = (~table.isfinite()).any(dim=1).sum()
        means: dict[str, float] = dict(zip(names, table.mean(dim=0).tolist(), strict=True))
        return means | {"nonfinite_steps": float(nonfinite)}

    def validate(self) -> dict[str, float]:
        """Metrics of the present generator over the validation data."""
        parts = [
            self.metrics(self.learner.predict(batch.grey, batch.features), batch)
            for batch in self.validation_batches
        ]
        if not parts:
            raise ModelError("There is no validation image; give a larger dataset.")
        return self.summarise({name: torch.cat([part[name] for part in parts]) for name in parts[0]})

    def state(self) -> dict[str, Any]:
        """What JSON must keep beside `learner.tensors()` for `restore`."""
        return {"epoch": self.epoch, "history": self.history}

    def restore(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go on where `state()` and `learner.tensors()` were taken, as if never interrupted."""
        self.learner.load_tensors(tensors)
        self.epoch = int(state["epoch"])
        self.history = list(state["history"])
        self._schedulers = self._fresh_schedulers()

    def _fresh_schedulers(self) -> list[LambdaLR]:
        """One per optimizer, at the present step; none for a constant rate, which is left untouched."""
        schedule = self.learner.recipe.schedule
        if schedule == CONSTANT:
            return []
        if self._epochs is None:
            raise ModelError(f"The schedule {schedule} must know for how many epochs the training is meant.")
        per_epoch = len(self.train_batches)
        return [
            scheduler(optimizer, schedule, self._epochs * per_epoch, self.epoch * per_epoch)
            for optimizer in self.learner.optimizers.values()
        ]
