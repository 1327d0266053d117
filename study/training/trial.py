"""One trial, epoch by epoch, without Ray."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

from torch import Tensor

from data_utils.batches import Batches
from data_utils.pictures import sample_grid, sample_indices
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.architectures import seeded_build
from models.data_parallel import train_together
from models.hardware import choose_device
from models.learner import Features, Learner
from models.metrics import OBJECTIVE, keep_luminance, summarise
from models.metrics.collapse import collapsed
from models.metrics.evaluation import summary_of, validation_quantities
from models.metrics.tint import best_tint
from models.training import Trainer
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import COLLAPSED, ENERGY, Report, TrialSpec
from study.settings.identity import NOBODY, Identity
from study.settings.schema import StudySettings
from study.settings.sections.recipe import network_settings
from study.storage.storage import Storage
from study.training.data import TrialData
from study.training.energy import EnergyMeter
from study.training.final_evaluation import publish_test
from study.training.replicates import images_of
from study.training.system_load import SystemLoad
from study.training.trial_files import TrialFiles


class Rank:
    """Which of a trial's processes this is; by default, it is alone. See `study.training.ranks` for several."""

    def __init__(self, number: int = 0, size: int = 1) -> None:
        self.number, self.size = number, size

    @contextmanager
    def training(self, epochs: int) -> Iterator[None]:
        """Within it, all processes of the trial train for so many epochs."""
        yield


class Trial:
    """Trains one trial; continues from its last checkpoint if there is one.

    Args:
        settings: The study.
        spec: The trial.
        data: The cell's images and features.
        study: Its identity, which its files carry.
        rank: Of this process among those that train the trial together.

    Raises:
        StudyError: If the weights that should start the generator are not in the storage, or files there are not this
            trial's.
    """

    def __init__(
        self,
        settings: StudySettings,
        spec: TrialSpec,
        data: TrialData,
        study: Identity = NOBODY,
        rank: Rank | None = None,
    ) -> None:
        if settings.storage is None:
            raise StudyError(
                "The study has no storage for checkpoints; set storage to a folder or an address."
            )
        self._settings = settings
        self._spec = spec
        self._data = data
        self._files = TrialFiles(Storage(settings.storage), spec, study)
        self._images = images_of(data.images, settings, spec.replicate)
        self._device = choose_device(settings.model.device)
        self._rank = rank or Rank()
        self._meter = EnergyMeter(self._device, self._rank.size)
        self._load = SystemLoad(self._device, self._rank.size) if settings.tracking.system_metrics else None
        self._objective = settings.objective
        learner = self._build()
        self._batch_size = learner.recipe.batch_size
        batches = self._batches(TRAIN, train=True)
        if self._rank.size > 1:
            train_together(learner, batches.share)
        self._trainer = Trainer(
            learner,
            batches,
            self._batches(VALIDATION),
            partial(validation_quantities, kept=self._objective != OBJECTIVE),
            summarise,
            epochs=spec.epochs,
        )
        self._best: dict[str, Tensor] = self._files.restore(self._trainer)
        self._reported = 0
        self._saved = time.monotonic()

    def _build(self) -> Learner:
        shared = network_settings(self._settings)
        if self._spec.stage is Stage.CONTROL:
            shared = replace(shared, recipe=replace(shared.recipe, loss="l1"))
        learner = seeded_build(
            self._spec.network,
            shared,
            self._spec.params,
            self._device,
            self._spec.seed,
        )
        if self._spec.generator_from is not None:
            learner.load_generator(self._files.parent_weights(self._spec.generator_from))
        elif self._settings.model.start_from and (start := self._files.start_weights()) is not None:
            learner.load_generator(start)
        return learner

    def _batches(self, split: int, *, train: bool = False) -> Batches:
        data = self._data
        return Batches(
            self._images,
            self._images.indices(split),
            self._batch_size,
            self._device,
            train=train,
            seed=self._spec.seed,
            features=data.test_features if split == TEST else data.features,
            augmentation=self._settings.training.augmentation,
            part=(self._rank.number, self._rank.size) if train else (0, 1),
        )

    @property
    def learner(self) -> Learner:
        """The networks as they are now."""
        return self._trainer.learner

    def best_learner(self) -> Learner:
        """The networks with the generator of the best epoch, in place of the present one."""
        self.learner.load_generator(self._best)
        return self.learner

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self._trainer.epoch

    def advance(self) -> tuple[list[Report], Report | None]:
        """Train until the next report is due, and save a checkpoint if one is due.

        Returns:
            The reports that this object has not returned yet (after a restart, earlier epochs too), and with the last
            report of a final the metrics of the test split.
        """
        if self.epoch < self._spec.epochs:
            self._train()
        reports = self._trainer.history[self._reported :]
        self._reported = len(self._trainer.history)
        return reports, self._finish() if self.epoch >= self._spec.epochs else None

    def _train(self) -> None:
        before, used, counter = self.epoch, self._energy, self._meter.joules()
        epochs = min(self._settings.budget.epochs_per_report, self._spec.epochs - before)
        with self._rank.training(epochs), self._load.watching() if self._load else nullcontext():
            report = self._trainer.step(epochs)
        report["device_seconds"] = (report["train_seconds"] + report["validation_seconds"]) * self._devices
        if counter is not None and (now := self._meter.joules()) is not None:
            report[ENERGY] = used + (now - counter) * min(1.0, self._devices)
        if self._load:
            report |= self._load.means()
        if report[self._objective] <= min(entry[self._objective] for entry in self._trainer.history):
            self._best = self.learner.generator_tensors()
        if self.epoch == self._spec.epochs or self._checkpoint_is_due(before):
            self._files.save_checkpoint(self._trainer, self._best)
            self._saved = time.monotonic()

    def follow(self, epochs: int) -> None:
        """Train along with the process that leads, which alone validates, reports and keeps files."""
        self._trainer.train(epochs)

    def _checkpoint_is_due(self, before: int) -> bool:
        """Whether enough epochs passed since epoch `before`, or enough minutes since the last checkpoint."""
        resources = self._settings.resources
        if resources.checkpoint_minutes is not None:
            return time.monotonic() - self._saved >= 60 * resources.checkpoint_minutes
        every = int(resources.checkpoint_every)
        return self.epoch // every > before // every

    @property
    def _devices(self) -> float:
        gpus = self._settings.resources.gpus_per_trial
        return gpus if self._device.type == "cuda" and gpus else 1.0

    @property
    def _energy(self) -> float:
        """Joules of the trial's own epochs so far; trials that share a GPU are charged their fraction each."""
        last = self._trainer.history[-1] if self._trainer.history else {"epoch": 0}
        return last.get(ENERGY, 0.0) if last["epoch"] > self._spec.inherited_epochs else 0.0

    def _finish(self) -> Report | None:
        """Store the best epoch's weights; say whether a final collapsed, and evaluate it on the test split, once."""
        self._files.save_weights(self._best)
        if self._spec.stage is Stage.SEARCH:
            return None
        learner = self.best_learner()
        tint = best_tint(self._images.colour, self._images.indices(TRAIN))
        # In the last report, but not in the checkpoint: a process that starts again comes by here once more.
        self._trainer.history[-1][COLLAPSED] = float(
            collapsed(self._predict, self._batches(VALIDATION), tint)
        )
        test = self._files.evaluation()  # exists if a process died between evaluating and reporting
        if test is None:
            truth = self._spec.replicate if self._settings.splits.test == "rotate" else 1
            test = publish_test(learner, self._batches(TEST), self._images, truth, self._files)
        return summary_of(test)

    def _predict(self, grey: Tensor, features: Features | None) -> Tensor:
        """As it counts: where the objective keeps the input's luminance, with that."""
        prediction = self.learner.predict(grey, features)
        return prediction if self._objective == OBJECTIVE else keep_luminance(prediction, grey)

    def picture_is_due(self) -> bool:
        """Whether the last epoch is one of the few after which sample images are logged."""
        wanted, epochs = self._settings.tracking.pictures_per_trial, self._spec.epochs
        due, due_before = self.epoch * wanted // epochs, (self.epoch - 1) * wanted // epochs
        return wanted > 0 and (self.epoch == epochs or due > due_before)

    def save_picture(self) -> str:
        """Store a picture of grey, prediction and truth for a few validation images.

        Returns:
            The picture's key in the study's storage.
        """
        features = self._data.features
        chosen = Batches(
            self._images, sample_indices(self._images), 8, self._device, train=False, features=features
        )
        batch = next(iter(chosen))
        prediction = self.learner.predict(batch.grey, batch.features)
        return self._files.save_picture(self.epoch, sample_grid(batch.grey, prediction, batch.colour))
