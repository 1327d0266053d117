"""What all runs of a study carry in MLflow: who started it, its fixed settings, its data."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from study.driver.environment import git
from study.settings.schema import StudySettings
from study.tracking.tracker import Shared

_FIXED = {
    "model": ("image_size", "width", "batch_size"),
    "training": ("target", "loss", "schedule", "ema", "weight_decay", "augmentation"),
    "search": ("sampler", "pruner"),
}
_COUNTS = ("images", "train", "validation", "test")
_DIGEST_DIGITS = 32  # MLflow takes 36
_FOLDER = re.compile(r"(?P<kind>sqlite:///|file://)?(?=[/~])")


def shared_facts(settings: StudySettings, datasets: Mapping[str, Mapping[str, Any]]) -> Shared:
    """What teams filter and compare runs by.

    Args:
        settings: The study.
        datasets: Facts of each dataset, see `study.training.data.Prepared.facts`.
    """
    params = {
        f"{section}.{name}": str(getattr(getattr(settings, section), name))
        for section, names in _FIXED.items()
        for name in names
    }
    return Shared(_origin(), params, {name: _input(settings, name, one) for name, one in datasets.items()})


def shown_settings(settings: StudySettings) -> dict[str, Any]:
    """The settings for MLflow and the report; folders of this machine by their last name, unless all was asked for."""
    content = settings.model_dump(mode="json")
    return content if settings.tracking.whole_paths else _without_folders(content)


def _without_folders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_folders(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_folders(one) for one in value]
    match = _FOLDER.match(value) if isinstance(value, str) else None
    return f"{match['kind'] or ''}…/{Path(value).name}" if match else value


def _origin() -> dict[str, str]:
    tags = {"mlflow.source.name": "study.launch", "mlflow.source.type": "LOCAL"}
    with suppress(KeyError, OSError, ImportError):  # a container's user may have no name
        tags["mlflow.user"] = getpass.getuser()
    if commit := git("rev-parse", "HEAD"):
        tags["mlflow.source.git.commit"] = commit
    return tags


def _input(settings: StudySettings, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    root = settings.datasets[name].root
    return {
        "digest": facts["fingerprint"][:_DIGEST_DIGITS],
        "source": root if facts["drawn"] else Path(root).name,  # no path of this machine
        "profile": {one: facts[one] for one in _COUNTS},
    }
