"""A trial as Ray Tune runs it: one `step` per report, the process reused for the next trial."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import ray
import torch
from ray import tune

from data_utils.image_set import CacheEntry, ImageSet, SetSource
from models.hardware import bound_memory, choose_device
from models.plugins import load_packed
from study.backend.node_cache import node_arrays, node_images
from study.backend.ray_adapters import NOTE, PICTURE, REPORTS, TEST, spec_of
from study.backend.ready_nodes import why_unseen
from study.errors import StudyError
from study.search.trial_spec import TrialSpec
from study.settings.identity import Identity
from study.settings.schema import StudySettings
from study.training.data import TrialData
from study.training.features import opened_features
from study.training.ranks import Leader, Work, ranks_of
from study.training.trial import Trial


@dataclass(frozen=True)
class Shared:
    """What all trials of a study share.

    Attributes:
        settings: The study.
        plugins: See `models.plugins.packed`.
        driver: Id of the node that prepared the data.
        images: Where each dataset lies.
        features: Where VGG16's features lie, by dataset and kind; None for those that are computed of every batch.
        describers: VGG16 by kind, in Ray's object store, so that other nodes need no file of its weights.
    """

    settings: StudySettings
    identity: Identity
    plugins: dict[str, str | None]
    driver: str
    images: dict[str, SetSource]
    features: dict[str, dict[str, CacheEntry | None]]
    describers: dict[str, ray.ObjectRef]


class ColorizationTrial(tune.Trainable):
    """Ray's view of `study.training.trial.Trial`."""

    def setup(self, config: dict[str, Any], shared: Shared) -> None:
        """Prepare this process for its first trial."""
        settings, self._note = on_given_device(shared.settings)
        self._shared = shared = replace(shared, settings=settings)
        self._images: dict[str, ImageSet] = {}
        self._data: tuple[tuple[str, str | None], TrialData] | None = None
        bound_memory(
            choose_device(shared.settings.model.device), shared.settings.resources.gpus_per_trial or 1.0
        )
        self._size = ranks_of(shared.settings)
        self._leader: Leader | None = None
        self._threads = max(1, math.floor(shared.settings.resources.cpus_per_trial / self._size))
        torch.set_num_threads(self._threads)
        load_packed(shared.plugins)
        self._trial: Trial | None = None
        self._sees = False

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for another trial in the same process; the images stay on the device."""
        # The trial is built in its first step: Tune retries a trial that fails in a step, but not one that fails here.
        self._trial = None
        return True

    def _begin(self) -> Trial:
        shared, spec = self._shared, spec_of(self.config)
        self._look_for_storage()
        begin = partial(Trial, shared.settings, spec, self._trial_data(spec), shared.identity)
        if self._size == 1:
            return begin()
        if self._leader is None or self._leader.ended:
            device = choose_device(shared.settings.model.device)
            self._leader = Leader(self._size, device, self._threads, shared.plugins)
        with self._leader.beginning(self._work(spec)):
            return begin(self._leader)

    def _work(self, spec: TrialSpec) -> Work:
        """A trial for the processes of its other GPUs; this node has its data by now."""
        shared, kind = self._shared, spec.network.features
        work = Work(shared.settings, spec, shared.identity, shared.images[spec.dataset])
        if kind is None:
            return work
        describer = ray.get(shared.describers[kind])
        return replace(work, features=shared.features[spec.dataset][kind], describer=describer)

    def _look_for_storage(self) -> None:
        """Notice a node that joined a moment ago and was given a trial before it was asked what it sees."""
        shared = self._shared
        if self._sees or not shared.identity.key:
            return
        if reason := why_unseen(str(shared.settings.storage), shared.identity.key):
            raise StudyError(
                f"The node {ray.util.get_node_ip_address()} does not see the study's storage: {reason}."
            )
        self._sees = True

    def _trial_data(self, spec: TrialSpec) -> TrialData:
        """The cell's data; features stay on the device until a trial needs others."""
        shared, kind = self._shared, spec.network.features
        needed = (spec.dataset, kind)
        if self._data is not None and self._data[0] == needed:
            return self._data[1]
        self._data = None
        if spec.dataset not in self._images:
            self._images[spec.dataset] = node_images(shared.images[spec.dataset], shared.driver)
        data = TrialData(self._images[spec.dataset])
        if kind is not None:
            entry = shared.features[spec.dataset][kind]
            arrays = None if entry is None else node_arrays(entry, shared.driver)
            device = choose_device(shared.settings.model.device)
            found = opened_features(arrays, lambda: ray.get(shared.describers[kind]), device)
            data = TrialData(data.images, *found)
        self._data = needed, data
        return data

    def cleanup(self) -> None:
        """End what this process has started."""
        if self._leader is not None:
            self._leader.end()

    def step(self) -> dict[str, Any]:
        """Train until the next report is due."""
        trial = self._trial = self._trial or self._begin()
        reports, test = trial.advance()
        result: dict[str, Any] = {REPORTS: reports}
        if self._note:
            result[NOTE], self._note = self._note, ""
        if trial.picture_is_due():
            result[PICTURE] = trial.save_picture()
        if test is not None:
            result[TEST] = test
        return result


def on_given_device(settings: StudySettings) -> tuple[StudySettings, str]:
    """A study's settings in this process, where the device `auto` is a GPU only if Ray gave the process one.

    Returns:
        The settings, and a sentence for the user where the device is not what the node would lead one to expect.
    """
    given, seen = bool(ray.get_gpu_ids()), torch.cuda.is_available()
    if settings.model.device != "auto" or given == seen:
        return settings, ""
    node = ray.util.get_node_ip_address()
    if given:
        return settings, (
            f"Ray gives trials a GPU of the node {node}, but torch {torch.__version__} sees none there: they train on "
            "its CPUs. Install torch for CUDA there, or go on with --resume --resources.gpus_per_trial 0."
        )
    model = settings.model.model_copy(update={"device": "cpu"})
    return settings.model_copy(update={"model": model}), (
        f"Trials on the node {node} ask for no GPU (resources.gpus_per_trial) and train on its CPUs, though torch sees "
        "a GPU there."
    )
