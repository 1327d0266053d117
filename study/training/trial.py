"""One trial, epoch by epoch, without Ray: what a worker does with a trial that it is given."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from data_utils.batches import Batches
from data_utils.pictures import sample_grid, sample_indices
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.architectures import architecture, seeded_build
from models.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from models.hardware import choose_device
from models.learner import Learner
from models.metrics import OBJECTIVE, image_quantities, summarise
from models.metrics.evaluation import load_evaluation, summary_of
from models.training import Trainer
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import ENERGY, Report, TrialSpec, trial_key
from study.settings.schema import StudySettings, cell_key, network_settings
from study.storage.paths import CHECKPOINT, EVALUATION, WEIGHTS, trial_folder
from study.storage.storage import Storage
from study.training.data import Material, split_indices
from study.training.energy import EnergyMeter
from study.training.final_evaluation import publish_test

_BEST = "best/"


class Trial:
    """Trains one trial; continues from its last checkpoint if there is one.

    Args:
        settings: The study.
        spec: The trial.
        material: The cell's images and vectors.

    Raises:
        StudyError: If the weights that should start the generator are not in the storage.
    """

    def __init__(self, settings: StudySettings, spec: TrialSpec, material: Material) -> None:
        if settings.storage is None:
            raise StudyError(
                "The study has no storage for checkpoints; set storage to a folder or an address."
            )
        self._settings = settings
        self._spec = spec
        self._material = material
        self._storage = Storage(settings.storage)
        self._folder = trial_folder(spec.key)
        self._device = choose_device(settings.model.device)
        self._meter = EnergyMeter(self._device)
        self._trainer = self._fresh_trainer()
        self._best: dict[str, Tensor] = {}
        self._told = 0
        self._saved = time.monotonic()
        self._restore()

    def _fresh_trainer(self) -> Trainer:
        settings, spec = self._settings, self._spec
        learner = seeded_build(
            architecture(spec.architecture),
            network_settings(settings.model),
            spec.params,
            self._device,
            spec.seed,
        )
        if spec.generator_from is not None:
            learner.load_generator(self._pretrained())
        return Trainer(
            learner,
            self._batches(TRAIN, train=True),
            self._batches(VALIDATION),
            partial(image_quantities, quick=True),
            summarise,
        )

    def _batches(self, split: int, *, train: bool = False) -> Batches:
        images = self._material.images
        return Batches(
            images,
            split_indices(images, split, self._settings, self._spec.dataset),
            self._settings.model.batch_size,
            self._device,
            train=train,
            seed=self._spec.seed,
            vectors=self._material.vectors,
        )

    def _pretrained(self) -> dict[str, Tensor]:
        spec = self._spec
        giver = architecture(spec.architecture).pretrained_by
        cell = cell_key(spec.dataset, giver or "")
        key = f"{trial_folder(trial_key(cell, Stage.SEARCH, spec.generator_from or 0))}/{WEIGHTS}"
        with TemporaryDirectory() as folder:
            file = self._storage.get_file(key, Path(folder))
            if file is None:
                raise StudyError(
                    f"The pretrained weights {key} are not in the storage {self._settings.storage}."
                )
            return load_weights(file)[0]

    def _restore(self) -> None:
        with TemporaryDirectory() as folder:
            found = self._checkpoint(Path(folder))
            if found is None:
                return
            tensors, state = load_checkpoint(found)
        self._best = {
            name.removeprefix(_BEST): value for name, value in tensors.items() if name.startswith(_BEST)
        }
        rest = {name: value for name, value in tensors.items() if not name.startswith(_BEST)}
        self._trainer.restore(state, rest)

    def _checkpoint(self, into: Path) -> Path | None:
        """The trial's own last checkpoint, or that of the trial which it continues."""
        spec = self._spec
        found = self._storage.fetch(f"{self._folder}/{CHECKPOINT}", into / CHECKPOINT)
        if found is not None or spec.continues is None:
            return found
        key = f"{trial_folder(trial_key(spec.cell, spec.stage, spec.continues))}/{CHECKPOINT}"
        found = self._storage.fetch(key, into / CHECKPOINT)
        if found is None:
            raise StudyError(f"The checkpoint {key} is not in the storage {self._settings.storage}.")
        return found

    @property
    def learner(self) -> Learner:
        """The networks as they are now."""
        return self._trainer.learner

    def best_learner(self) -> Learner:
        """The networks with the generator of the best epoch."""
        self._trainer.learner.load_generator(self._best)
        return self._trainer.learner

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self._trainer.epoch

    def advance(self) -> tuple[list[Report], Report | None]:
        """Train until the next report is due; save what must not be lost.

        Returns:
            The reports that this object has not given yet (after a restart, earlier epochs too), and with the last
            report of a final the metrics of the test split.
        """
        spec = self._spec
        if self._trainer.epoch < spec.epochs:
            self._train()
        reports = self._trainer.history[self._told :]
        self._told = len(self._trainer.history)
        if self._trainer.epoch < spec.epochs:
            return reports, None
        return reports, self._finish()

    def _train(self) -> None:
        before = self._trainer.epoch
        left = self._spec.epochs - before
        earlier, metered = self._energy, self._meter.joules()
        report = self._trainer.step(min(self._settings.budget.epochs_per_report, left))
        report["device_seconds"] = (report["train_seconds"] + report["validation_seconds"]) * self._devices
        if metered is not None and (now := self._meter.joules()) is not None:
            report[ENERGY] = earlier + (now - metered) * min(1.0, self._devices)
        if report[OBJECTIVE] <= min(entry[OBJECTIVE] for entry in self._trainer.history):
            self._best = self._trainer.learner.generator_tensors()
        if self._trainer.epoch == self._spec.epochs or self._checkpoint_is_due(before):
            self._save()

    def _checkpoint_is_due(self, before: int) -> bool:
        """Whether enough epochs lie between epoch `before` and now, or enough minutes since the last checkpoint."""
        resources = self._settings.resources
        if resources.checkpoint_minutes is not None:
            return time.monotonic() - self._saved >= 60 * resources.checkpoint_minutes
        every = int(resources.checkpoint_every)
        return self._trainer.epoch // every > before // every

    @property
    def _devices(self) -> float:
        gpus = self._settings.resources.gpus_per_trial
        return gpus if self._device.type == "cuda" and gpus else 1.0

    @property
    def _energy(self) -> float:
        """Joules of the trial's own epochs so far; of a GPU that trials share, each is charged its fraction."""
        last = self._trainer.history[-1] if self._trainer.history else {"epoch": 0}
        return last.get(ENERGY, 0.0) if last["epoch"] > self._spec.inherited_epochs else 0.0

    def _save(self) -> None:
        best = {f"{_BEST}{name}": value for name, value in self._best.items()}
        with TemporaryDirectory() as folder:
            target = Path(folder) / CHECKPOINT
            save_checkpoint(target, {**self._trainer.learner.tensors(), **best}, self._trainer.state())
            self._storage.save(f"{self._folder}/{CHECKPOINT}", target)
        self._saved = time.monotonic()

    def _finish(self) -> Report | None:
        """Publish the best epoch's weights; evaluate a final on the test split with them."""
        spec = self._spec
        metadata = {
            "architecture": spec.architecture,
            "dataset": spec.dataset,
            "trial": spec.key,
        }
        with TemporaryDirectory() as folder:
            file = Path(folder) / WEIGHTS
            save_weights(file, self._best, metadata)
            self._storage.put_file(f"{self._folder}/{WEIGHTS}", file)
            if spec.stage is Stage.SEARCH:
                return None
            earlier = self._storage.get_file(f"{self._folder}/{EVALUATION}", Path(folder))
            if earlier is not None:  # evaluated by a process that died before it could tell; once is enough
                return summary_of(load_evaluation(earlier))
            self._trainer.learner.load_generator(self._best)
        test = publish_test(
            self._trainer.learner,
            self._batches(TEST),
            self._material.images,
            spec.dataset,
            self._storage,
            self._folder,
        )
        return summary_of(test)

    def picture_is_due(self) -> bool:
        """Whether the last epoch is one of the few after which sample images are logged."""
        wanted = self._settings.tracking.pictures_per_trial
        epochs = self._spec.epochs
        done = self._trainer.epoch
        return wanted > 0 and (done == epochs or done * wanted // epochs > (done - 1) * wanted // epochs)

    def save_picture(self) -> str:
        """Store a picture of grey, prediction and truth for a few validation images.

        Returns:
            The picture's key in the study's storage.
        """
        images = self._material.images
        chosen = Batches(
            images, sample_indices(images), 8, self._device, train=False, vectors=self._material.vectors
        )
        batch = next(iter(chosen))
        prediction = self._trainer.learner.predict(batch.grey, batch.vector)
        key = f"{self._folder}/samples/epoch-{self._trainer.epoch:05d}.png"
        with TemporaryDirectory() as folder:
            file = Path(folder) / "sample.png"
            sample_grid(batch.grey, prediction, batch.colour).save(file)
            self._storage.put_file(key, file)
        return key
