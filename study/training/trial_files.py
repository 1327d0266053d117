"""The files of a trial in the study's storage: its checkpoint, its best weights, its pictures and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL.Image import Image
from torch import Tensor

from models.architectures import architecture
from models.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from models.metrics.evaluation import load_evaluation
from models.training import Trainer
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec, trial_key
from study.settings.schema import cell_key
from study.storage.paths import CHECKPOINT, EVALUATION, WEIGHTS, trial_folder
from study.storage.storage import Storage

Tensors = Mapping[str, Tensor]
_BEST = "best/"


class TrialFiles:
    """What a trial keeps in the storage, and what it reads there of the trials that it builds on.

    Args:
        storage: The study's storage.
        spec: The trial.

    Attributes:
        storage: The study's storage.
        folder: Key of the trial's folder there.
    """

    def __init__(self, storage: Storage, spec: TrialSpec) -> None:
        self.storage = storage
        self.folder = trial_folder(spec.key)
        self._spec = spec

    def save_checkpoint(self, trainer: Trainer, best: Tensors) -> None:
        """Store everything that it takes to continue.

        Args:
            trainer: The training as it is now.
            best: The generator of the best epoch.
        """
        tensors = {**trainer.learner.tensors(), **{f"{_BEST}{name}": value for name, value in best.items()}}
        with TemporaryDirectory() as folder:
            target = Path(folder) / CHECKPOINT
            save_checkpoint(target, tensors, trainer.state())
            self.storage.save(f"{self.folder}/{CHECKPOINT}", target)

    def restore(self, trainer: Trainer) -> dict[str, Tensor]:
        """Continue from the trial's own last checkpoint, or else from that of the trial which it continues.

        Returns:
            The generator of the best epoch; empty if there is no checkpoint, so that the training begins.

        Raises:
            StudyError: If the trial to be continued has no checkpoint.
        """
        with TemporaryDirectory() as folder:
            checkpoint = self._checkpoint(Path(folder))
            if checkpoint is None:
                return {}
            tensors, state = load_checkpoint(checkpoint)
        trainer.restore(state, {name: one for name, one in tensors.items() if not name.startswith(_BEST)})
        return {name.removeprefix(_BEST): one for name, one in tensors.items() if name.startswith(_BEST)}

    def _checkpoint(self, into: Path) -> Path | None:
        spec = self._spec
        found = self.storage.fetch(f"{self.folder}/{CHECKPOINT}", into / CHECKPOINT)
        if found is not None or spec.continues is None:
            return found
        key = f"{trial_folder(trial_key(spec.cell, spec.stage, spec.continues))}/{CHECKPOINT}"
        found = self.storage.fetch(key, into / CHECKPOINT)
        if found is None:
            raise StudyError(f"The checkpoint {key} is not in the storage {self.storage.uri}.")
        return found

    def parent_weights(self, number: int) -> dict[str, Tensor]:
        """The best generator of a search trial of the parent cell.

        Raises:
            StudyError: If it is not in the storage.
        """
        spec = self._spec
        parent = cell_key(spec.dataset, architecture(spec.architecture).pretrained_by or "", spec.replicate)
        key = f"{trial_folder(trial_key(parent, Stage.SEARCH, number))}/{WEIGHTS}"
        with TemporaryDirectory() as folder:
            file = self.storage.get_file(key, Path(folder))
            if file is None:
                raise StudyError(f"The pretrained weights {key} are not in the storage {self.storage.uri}.")
            return load_weights(file)[0]

    def save_weights(self, best: Tensors) -> None:
        """Store the generator of the best epoch on its own, as other trials and the models are made from it."""
        metadata = {
            "architecture": self._spec.architecture,
            "dataset": self._spec.dataset,
            "trial": self._spec.key,
        }
        with TemporaryDirectory() as folder:
            file = Path(folder) / WEIGHTS
            save_weights(file, dict(best), metadata)
            self.storage.put_file(f"{self.folder}/{WEIGHTS}", file)

    def evaluation(self) -> dict[str, np.ndarray] | None:
        """A final's quantities on the test split, image by image; None if it was not evaluated yet."""
        with TemporaryDirectory() as folder:
            file = self.storage.get_file(f"{self.folder}/{EVALUATION}", Path(folder))
            return None if file is None else load_evaluation(file)

    def save_picture(self, epoch: int, picture: Image) -> str:
        """Store a picture of the predictions after an epoch.

        Returns:
            Its key in the storage.
        """
        key = f"{self.folder}/samples/epoch-{epoch:05d}.png"
        with TemporaryDirectory() as folder:
            file = Path(folder) / "sample.png"
            picture.save(file)
            self.storage.put_file(key, file)
        return key
