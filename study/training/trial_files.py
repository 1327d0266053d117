"""The files of a trial in the study's storage: its checkpoint, its best weights, its pictures and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL.Image import Image
from torch import Tensor

from models.architectures import architecture
from models.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from models.metrics.evaluation import evaluation_metadata, load_evaluation, save_evaluation
from models.training import Trainer
from study.errors import StudyError
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec, trial_key
from study.settings.identity import NOBODY, Identity
from study.settings.schema import cell_key
from study.storage.paths import CHECKPOINT, EVALUATION, WEIGHTS, sample_path, start_path, trial_folder
from study.storage.storage import Storage
from study.training.origin import Origin

Tensors = Mapping[str, Tensor]
_BEST = "best/"
_ORIGIN = "origin"


class TrialFiles:
    """What a trial keeps in the storage, and what it reads there of the trials that it builds on.

    Args:
        storage: The study's storage.
        spec: The trial.
        study: Whose trial it is; files of another study are refused.

    Attributes:
        storage: The study's storage.
        folder: Key of the trial's folder there.
    """

    def __init__(self, storage: Storage, spec: TrialSpec, study: Identity = NOBODY) -> None:
        self.storage = storage
        self.folder = trial_folder(spec.key)
        self._spec = spec
        self._study = study
        self._origin = Origin(study, spec.key, spec.params, spec.seed)

    def save_checkpoint(self, trainer: Trainer, best: Tensors) -> None:
        """Store everything that it takes to continue.

        Args:
            trainer: The training as it is now.
            best: The generator of the best epoch.
        """
        tensors = {**trainer.learner.tensors(), **{f"{_BEST}{name}": value for name, value in best.items()}}
        with self.storage.staging(self.folder) as folder:
            target = folder / CHECKPOINT
            save_checkpoint(target, tensors, trainer.state() | {_ORIGIN: self._origin.metadata()})
            self.storage.save(f"{self.folder}/{CHECKPOINT}", target)

    def restore(self, trainer: Trainer) -> dict[str, Tensor]:
        """Continue from the trial's own last checkpoint, or else from that of the trial which it continues.

        Returns:
            The generator of the best epoch; empty if there is no checkpoint, so that the training begins.

        Raises:
            StudyError: If the trial to be continued has no checkpoint, or the checkpoint is of another trial.
        """
        with TemporaryDirectory() as folder:
            origin, checkpoint = self._checkpoint(Path(folder))
            if checkpoint is None:
                return {}
            tensors, state = load_checkpoint(checkpoint)
        origin.check(state.get(_ORIGIN, {}), f"The checkpoint {trial_folder(origin.trial)}/{CHECKPOINT}")
        trainer.restore(state, {name: one for name, one in tensors.items() if not name.startswith(_BEST)})
        return {name.removeprefix(_BEST): one for name, one in tensors.items() if name.startswith(_BEST)}

    def _checkpoint(self, into: Path) -> tuple[Origin, Path | None]:
        """What to continue from, and whose it must be."""
        spec = self._spec
        found = self.storage.fetch(f"{self.folder}/{CHECKPOINT}", into / CHECKPOINT)
        if found is not None or spec.continues is None:
            return self._origin, found
        continued = trial_key(spec.cell, spec.stage, spec.continues)
        key = f"{trial_folder(continued)}/{CHECKPOINT}"
        found = self.storage.fetch(key, into / CHECKPOINT)
        if found is None:
            raise StudyError(f"The checkpoint {key} is not in the storage {self.storage.uri}.")
        return replace(self._origin, trial=continued), found

    def parent_weights(self, number: int) -> dict[str, Tensor]:
        """The best generator of a search trial of the parent cell.

        Raises:
            StudyError: If it is not in the storage, or those weights are of another trial.
        """
        spec = self._spec
        cell = cell_key(spec.dataset, architecture(spec.architecture).pretrained_by or "", spec.replicate)
        parent = trial_key(cell, Stage.SEARCH, number)
        key = f"{trial_folder(parent)}/{WEIGHTS}"
        with TemporaryDirectory() as folder:
            file = self.storage.get_file(key, Path(folder))
            if file is None:
                raise StudyError(f"The pretrained weights {key} are not in the storage {self.storage.uri}.")
            weights, metadata = load_weights(file)
        Origin(self._study, parent).check(metadata, f"The weights file {key}")
        return weights

    def start_weights(self) -> dict[str, Tensor] | None:
        """The weights that trials of this architecture start from; None if they start from scratch."""
        with TemporaryDirectory() as folder:
            file = self.storage.get_file(start_path(self._spec.architecture), Path(folder))
            return None if file is None else load_weights(file)[0]

    def save_weights(self, best: Tensors) -> None:
        """Store the generator of the best epoch on its own, as other trials and the models are made from it."""
        metadata = {
            "architecture": self._spec.architecture,
            "dataset": self._spec.dataset,
            **self._origin.metadata(),
        }
        with self.storage.staging(self.folder) as folder:
            file = folder / WEIGHTS
            save_weights(file, dict(best), metadata)
            self.storage.put_file(f"{self.folder}/{WEIGHTS}", file)

    def evaluation(self) -> dict[str, np.ndarray] | None:
        """A final's quantities on the test split, image by image; None if it was not evaluated yet.

        Raises:
            StudyError: If the evaluation in the storage is of another trial.
        """
        key = f"{self.folder}/{EVALUATION}"
        with TemporaryDirectory() as folder:
            file = self.storage.get_file(key, Path(folder))
            if file is None:
                return None
            self._origin.check(evaluation_metadata(file), f"The evaluation {key}")
            return load_evaluation(file)

    def save_evaluation(self, quantities: Mapping[str, np.ndarray]) -> None:
        """Store a final's quantities on the test split, image by image."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / EVALUATION
            save_evaluation(file, quantities, self._origin.metadata())
            self.storage.put_file(f"{self.folder}/{EVALUATION}", file)

    def save_picture(self, epoch: int, picture: Image) -> str:
        """Store a picture of the predictions after an epoch.

        Returns:
            Its key in the storage.
        """
        key = sample_path(self.folder, epoch)
        with self.storage.staging(self.folder) as folder:
            file = folder / "sample.png"
            picture.save(file)
            self.storage.put_file(key, file)
        return key
