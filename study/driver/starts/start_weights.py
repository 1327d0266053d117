"""Weights of an earlier model with which the trials of its architecture begin (`model.start_from`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from models.architectures import architecture, seeded_build
from models.checkpoint import load_weights, save_weights
from models.colorizer import Colorizer
from models.colorizer_config import ColorizerConfig
from models.errors import ModelError
from models.hyperparameters import Choice
from study.deployment.model_source import load_model
from study.errors import UsageError
from study.settings.schema import StudySettings
from study.settings.sections.recipe import network_settings
from study.storage.paths import WEIGHTS, start_path
from study.storage.storage import Storage

_ORIGIN = "origin"


def check_start(settings: StudySettings) -> StudySettings:
    """Check that a new study can start from the model that it names.

    Returns:
        The study, its search narrowed to the options whose networks take the weights.

    Raises:
        UsageError: There is no such model, or it is not of an architecture, width or target of the study.
        StudyError: MLflow does not have it.
        ModelError: Its files are damaged.
    """
    if settings.model.start_from is None:
        return settings
    model = load_model(settings.model.start_from, settings.tracking.uri)
    _check(model.config, settings)
    ranges = {name: list(options) for name, options in _fitting_options(model, settings).items()}
    name = model.config.architecture
    space = {**settings.search.space, name: {**settings.search.space.get(name, {}), **ranges}}
    search = settings.search.model_copy(update={"space": space})
    return settings.model_copy(update={"search": search})


def place_start(settings: StudySettings, storage: Storage) -> dict[str, Any]:
    """Put the model's weights where trials on every node find them, unless they are there.

    Returns:
        Facts about the model: its `architecture`, where it is `from`, and of its training what is known: `dataset`,
        `data_fingerprint`, `device_seconds`. Empty where no model is named.

    Raises:
        UsageError: See `check_start`.
        StorageError: The storage cannot be used.
    """
    if settings.model.start_from is None:
        return {}
    with TemporaryDirectory() as temporary:
        for name in settings.architectures:
            if (file := storage.get_file(start_path(name), Path(temporary))) is not None:
                return _facts(name, settings.model.start_from, json.loads(load_weights(file)[1][_ORIGIN]))
        model = load_model(settings.model.start_from, settings.tracking.uri)
        _check(model.config, settings)
        name, origin = model.config.architecture, dict(model.config.origin)
        file = Path(temporary) / WEIGHTS
        save_weights(file, _tensors(model), {_ORIGIN: json.dumps(origin)})
        storage.put_file(start_path(name), file)
        return _facts(name, settings.model.start_from, origin)


def start_sentence(start: Mapping[str, Any], fingerprints: Mapping[str, str]) -> str:
    """What a reader must know of a study's start.

    Args:
        start: From `place_start`.
        fingerprints: Of the study's images, by dataset.
    """
    known = start["data_fingerprint"]
    cost = f", which took {start['device_seconds']:.0f} device-seconds" if start["device_seconds"] else ""
    told = f"{start['architecture']} starts from {start['from']}{cost}."
    if known not in fingerprints.values():
        told += (
            " Images that it learnt from may be among the test images here; then its results are flattered."
        )
    return told


def _facts(name: str, source: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architecture": name,
        "from": source,
        "dataset": origin.get("dataset", ""),
        "data_fingerprint": origin.get("data_fingerprint", ""),
        "device_seconds": float(origin.get("device_seconds", 0)),
    }


def _check(config: ColorizerConfig, settings: StudySettings) -> None:
    where = f"model.start_from is {settings.model.start_from}"
    if config.architecture not in settings.architectures:
        raise UsageError(
            f"{where}, a {config.architecture}, which is none of the architectures "
            f"({', '.join(settings.architectures)})."
        )
    for key, theirs, ours in (
        ("model.width", config.width, settings.model.width),
        ("training.target", config.target, settings.training.target),
    ):
        if theirs != ours:
            raise UsageError(f"{where}, whose {key} is {theirs}, not {ours}; make them equal.")


def _tensors(model: Colorizer) -> dict[str, Tensor]:
    return {name: tensor.cpu().contiguous() for name, tensor in model.generator.state_dict().items()}


def _fitting_options(model: Colorizer, settings: StudySettings) -> dict[str, tuple[Any, ...]]:
    """Of each choice that shapes the network, the options whose networks take the model's weights."""
    definition, tensors = architecture(model.config.architecture), _tensors(model)
    own = {**definition.textbook, **model.config.parameters}

    def takes(name: str, option: Any) -> bool:
        learner = seeded_build(
            definition, network_settings(settings), {**own, name: option}, torch.device("cpu"), seed=0
        )
        try:
            learner.load_generator(tensors)
        except ModelError:
            return False
        return True

    ranges = settings.search.space.get(definition.name, {})
    found: dict[str, tuple[Any, ...]] = {}
    for name, kind in definition.search_space.items():
        if isinstance(kind, Choice) and not kind.when:
            wanted = ranges.get(name) or kind.options
            fitting = tuple(option for option in wanted if takes(name, option))
            if not fitting:
                raise UsageError(
                    f"model.start_from is {settings.model.start_from}, whose weights fit {name} {own[name]} alone; "
                    f"let search.space.{definition.name}.{name} have it."
                )
            if fitting != tuple(kind.options):
                found[name] = fitting
    return found
