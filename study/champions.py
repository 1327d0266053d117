"""Ready-to-use models: one per cell in MLflow, and the winner of each dataset registered as its champion."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from study.config import StudySettings
from study.delivery import TrackingError
from study.errors import StudyError
from study.home import StudyHome
from study.model_card import model_card
from study.model_folder import write_model_folder
from study.record import StudyRecord, TrialRecord
from study.storage import Storage
from study.summary import best_finals
from study.tracking import MODEL_TAG

ALIAS = "champion"
CARD = "README.md"
_TRIAL_TAG = "study.trial"
_PACKAGES = ("mlflow", "torch", "torchvision", "torchmetrics", "numpy", "pillow", "safetensors")
_EXAMPLE_SIDE = 16


def publish_models(
    settings: StudySettings, home: StudyHome, say: Callable[[str], None] = lambda _sentence: None
) -> None:
    """Log the best model of every cell to MLflow and register each dataset's winner; done again, it changes nothing.

    The champions' model folders are also written to the study's own folder.

    Args:
        settings: The study, whose results MLflow has.
        home: Its folder.
        say: Told of every new champion.

    Raises:
        TrackingError: The server is away or refuses; what is missing can be published later.
        StudyError: Weights are not in the study's storage.
    """
    record = StudyRecord(home.tracking_uri(settings), settings.name)
    storage = Storage(home.storage_uri(settings))
    try:
        registry = _Registry(record)
        for dataset, name in record.cells:
            trial = best_trial(record, dataset, name)
            if trial is not None:
                registry.log_model(trial, settings, storage)
        for dataset in settings.datasets:
            champion = champion_of(record, dataset)
            if champion is not None:
                folder = home.champion(dataset)
                write_model_folder(record, champion, settings, storage, folder)
                card = model_card(record, champion)
                (folder / CARD).write_text(card, encoding="utf-8")
                if registry.register(champion, card):
                    say(f"Champion of {dataset}: {champion.architecture}, in {folder}")
    except StudyError:
        raise
    except Exception as error:  # MLflow lets errors of every layer through
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(
            f"MLflow at {record.uri} did not take the models: {lines[0].rstrip('.')}; "
            f"give them to it with: python -m study.sync --name {settings.name}"
        ) from error


def best_trial(record: StudyRecord, dataset: str, name: str) -> TrialRecord | None:
    """The cell's model: the best final on validation, or the best search trial where there is no final."""
    complete = [trial for trial in record.search(dataset, name) if trial.state == "COMPLETE"]
    candidates = best_finals(record, dataset, name) or complete
    scored = [(trial.best, trial.number, trial) for trial in candidates if trial.best is not None]
    return min(scored, default=(None, None, None), key=lambda one: one[:2])[2]


def champion_of(record: StudyRecord, dataset: str) -> TrialRecord | None:
    """The winner's model: of the cell whose finals have the lowest mean validation objective, never the test's.

    Cells without finals compete only where no cell has any: the best of many trials is a flattered value.
    """
    names = [name for other, name in record.cells if other == dataset]
    finals = {name: best_finals(record, dataset, name) for name in names}
    means = {name: float(np.mean([one.best for one in group])) for name, group in finals.items() if group}
    if not means:
        models = {name: best_trial(record, dataset, name) for name in names}
        means = {name: trial.best for name, trial in models.items() if trial is not None and trial.best is not None}
    winner = min(means, key=lambda name: means[name], default=None)
    return None if winner is None else best_trial(record, dataset, winner)


def requirements() -> list[str]:
    """What the served model needs, as installed here; local builds such as `+cpu` are not on any index."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in _PACKAGES]


class _Registry:
    """Logged and registered models of one study, found again before anything is made twice."""

    def __init__(self, record: StudyRecord) -> None:
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        for chatty in ("mlflow.models.model", "mlflow.pyfunc", "mlflow.utils.environment"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(record.uri)
        self._record = record
        self._client = mlflow.MlflowClient(record.uri, record.uri)
        experiment = self._client.get_experiment_by_name(record.name)
        self._experiment_id = experiment.experiment_id

    def log_model(self, trial: TrialRecord, settings: StudySettings, storage: Storage) -> None:
        """Log a trial's model to its cell's run, unless it is there already."""
        run_id = self._record.run_id(f"{trial.dataset}/{trial.architecture}")
        uri = self._logged(trial)
        if uri is None:
            with TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                write_model_folder(self._record, trial, settings, storage, folder)
                uri = _log_pyfunc(trial, folder, run_id)
        if self._record.model_uri(trial.dataset, trial.architecture) != uri:
            self._client.set_tag(run_id, MODEL_TAG, uri)

    def _logged(self, trial: TrialRecord) -> str | None:
        found = self._client.search_logged_models(
            [self._experiment_id], filter_string=f"tags.`{_TRIAL_TAG}` = '{trial.key}'"
        )
        ready = [model.model_uri for model in found if str(model.status) == "READY"]
        return ready[0] if ready else None

    def register(self, trial: TrialRecord, card: str) -> bool:
        """Make a trial's model the champion of its dataset; False if it was that before."""
        name = f"{self._record.name}-{trial.dataset}"
        self._make_registered(name, card)
        versions = self._client.search_model_versions(f"name = '{name}'")
        mine = [one for one in versions if one.tags.get(_TRIAL_TAG) == trial.key]
        if mine and self._client.get_registered_model(name).aliases.get(ALIAS) == mine[0].version:
            return False
        if not mine:
            tags = {_TRIAL_TAG: trial.key}
            mine = [self._client.create_model_version(name, self._logged(trial), tags=tags, description=card)]
        self._client.set_registered_model_alias(name, ALIAS, mine[0].version)
        return True

    def _make_registered(self, name: str, card: str) -> None:
        found = self._client.search_registered_models(f"name = '{name}'")
        if not found:
            self._client.create_registered_model(name, description=card)
        elif found[0].description != card:
            self._client.update_registered_model(name, description=card)


def _log_pyfunc(trial: TrialRecord, folder: Path, run_id: str | None) -> str:
    import mlflow
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    import models
    from study import served_model

    uint8 = np.dtype(np.uint8)
    signature = ModelSignature(
        Schema([TensorSpec(uint8, (-1, -1, -1), "grey")]), Schema([TensorSpec(uint8, (-1, -1, -1, 3), "colour")])
    )
    ramp = np.linspace(0, 255, _EXAMPLE_SIDE, dtype=np.uint8)
    # `Model.log` and not `mlflow.pyfunc.log_model`: that one would need the cell's run to be opened again.
    info: Any = Model.log(
        None,
        mlflow.pyfunc,
        name=trial.key.replace("/", "-"),
        run_id=run_id,
        tags={_TRIAL_TAG: trial.key},
        python_model=served_model.__file__,
        code_paths=[str(Path(models.__file__).parent)],
        artifacts={"model": str(folder)},
        signature=signature,
        input_example={"grey": np.tile(ramp, (1, _EXAMPLE_SIDE, 1))},
        pip_requirements=requirements(),
    )
    return str(info.model_uri)
