"""A trial as Ray Tune runs it: one `step` per report, the process reused for the next trial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
import torch
from ray import tune

from data_utils.load_dataset import ImageSet
from models.hardware import bound_memory, choose_device
from models.plugins import load_packed
from study.backend.ray_adapters import PICTURE, REPORTS, TEST, spec_of
from study.search.trial_spec import TrialSpec
from study.settings.schema import StudySettings
from study.training.data import TrialData
from study.training.trial import Trial


@dataclass(frozen=True)
class Shared:
    """What all trials of a study share; images and vectors are in Ray's object store, once per node."""

    settings: StudySettings
    plugins: dict[str, str | None]
    images: dict[str, ray.ObjectRef]
    vectors: dict[str, ray.ObjectRef]


class ColorizationTrial(tune.Trainable):
    """Ray's view of `study.training.trial.Trial`."""

    def setup(self, config: dict[str, Any], shared: Shared) -> None:
        """Prepare this process for its first trial."""
        self._shared = shared
        self._images: dict[str, ImageSet] = {}
        self._vectors: dict[str, np.ndarray] = {}
        bound_memory(
            choose_device(shared.settings.model.device), shared.settings.resources.gpus_per_trial or 1.0
        )
        torch.set_num_threads(max(1, math.floor(shared.settings.resources.cpus_per_trial)))
        load_packed(shared.plugins)
        self._trial: Trial | None = None

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for another trial in the same process; the images stay on the device."""
        # The trial is built in its first step: Tune retries a trial that fails in a step, but not one that fails here.
        self._trial = None
        return True

    def _begin(self) -> Trial:
        spec = spec_of(self.config)
        return Trial(self._shared.settings, spec, self._data(spec))

    def _data(self, spec: TrialSpec) -> TrialData:
        dataset = spec.dataset
        if dataset not in self._images:
            self._images[dataset] = ray.get(self._shared.images[dataset])
        if not spec.network.features:
            return TrialData(self._images[dataset], None)
        if dataset not in self._vectors:
            self._vectors[dataset] = ray.get(self._shared.vectors[dataset])
        return TrialData(self._images[dataset], self._vectors[dataset])

    def step(self) -> dict[str, Any]:
        """Train until the next report is due."""
        trial = self._trial = self._trial or self._begin()
        reports, test = trial.advance()
        result: dict[str, Any] = {REPORTS: reports}
        if trial.picture_is_due():
            result[PICTURE] = trial.save_picture()
        if test is not None:
            result[TEST] = test
        return result
