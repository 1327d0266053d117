"""Ready-to-use models: one per cell in MLflow, and the winner of each dataset registered as its champion."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
_CODE = Path(__file__).parents[1]


def publish_models(
    settings: StudySettings, home: StudyHome, say: Callable[[str], None] = lambda _sentence: None
) -> None:
    """Log the best model of every cell to MLflow and register each dataset's winner.

    Repeating it changes nothing. The champions' model folders are also written to the study's own folder.

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
                card = model_card(record, champion)
                with _replaced(home.champion(dataset)) as folder:
                    write_model_folder(record, champion, settings, storage, folder)
                    (folder / CARD).write_text(card, encoding="utf-8")
                if registry.register(champion, card):
                    say(f"Champion of {dataset}: {champion.architecture}, in {home.champion(dataset)}")
    except StudyError:
        raise
    except Exception as error:  # MLflow lets errors of every layer through
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(
            f"MLflow at {record.uri} did not take the models: {lines[0].rstrip('.')}; "
            f"give them to it with: python -m study.sync --name {settings.name} "
            f"--home {shlex.quote(str(home.root.parent))}"
        ) from error


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` once it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        fresh = Path(temporary) / folder.name
        yield fresh
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def best_trial(record: StudyRecord, dataset: str, name: str) -> TrialRecord | None:
    """The cell's model: the best final on validation, or the best search trial where there is no final."""
    complete = [trial for trial in record.search(dataset, name) if trial.state == "COMPLETE"]
    candidates = best_finals(record, dataset, name) or complete
    scored = [(trial.best, trial.number, trial) for trial in candidates if trial.best is not None]
    return min(scored, default=(None, None, None), key=lambda one: one[:2])[2]


def champion_of(record: StudyRecord, dataset: str) -> TrialRecord | None:
    """The model of the cell whose finals have the lowest mean validation objective; the test plays no part.

    Cells without finals compete only where no cell has any: the best of many trials is a flattered value.
    """
    names = [name for other, name in record.cells if other == dataset]
    finals = {name: best_finals(record, dataset, name) for name in names}
    means = {name: float(np.mean([one.best for one in group])) for name, group in finals.items() if group}
    if not means:
        models = {name: best_trial(record, dataset, name) for name in names}
        means = {
            name: trial.best for name, trial in models.items() if trial is not None and trial.best is not None
        }
    winner = min(means, key=lambda name: means[name], default=None)
    return None if winner is None else best_trial(record, dataset, winner)


def requirements() -> list[str]:
    """What the served model needs, as installed here; local builds such as `+cpu` are not on any index."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in _PACKAGES]


class _Registry:
    """Logged and registered models of one study, found again before anything is made twice."""

    def __init__(self, record: StudyRecord) -> None:
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._record = record
        self._client = MlflowClient(record.uri, record.uri)
        experiment = self._client.get_experiment_by_name(record.name)
        self._experiment_id = experiment.experiment_id

    def log_model(self, trial: TrialRecord, settings: StudySettings, storage: Storage) -> None:
        """Log a trial's model to its cell's run, unless it is there already."""
        run_id = self._record.run_id(f"{trial.dataset}/{trial.architecture}")
        logged = self._logged(trial)
        if logged is None:
            with TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                write_model_folder(self._record, trial, settings, storage, folder)
                logged = self._upload(trial, folder, run_id)
        if self._record.model_uri(trial.dataset, trial.architecture) != logged.model_uri:
            self._client.set_tag(run_id, MODEL_TAG, logged.model_uri)

    def _upload(self, trial: TrialRecord, folder: Path, run_id: str | None) -> Any:
        # Step by step and not by `mlflow.pyfunc.log_model`, which would open the cell's run again and goes by
        # the process-wide tracking URI and experiment.
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus
        from mlflow.models import Model

        logged = self._client.create_logged_model(
            self._experiment_id,
            name=trial.key.replace("/", "-"),
            source_run_id=run_id,
            tags={_TRIAL_TAG: trial.key},
            params={name: str(value) for name, value in trial.params.items()},
        )
        description = Model(
            artifact_path=logged.artifact_location,
            run_id=run_id,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
        )
        with TemporaryDirectory() as temporary:
            path = Path(temporary) / "mlflow"
            _save_pyfunc(folder, path, description)
            self._client.log_model_artifacts(logged.model_id, str(path))
        self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)

    def _logged(self, trial: TrialRecord) -> Any | None:
        found = self._client.search_logged_models(
            [self._experiment_id], filter_string=f"tags.`{_TRIAL_TAG}` = '{trial.key}'"
        )
        return next((model for model in found if str(model.status) == "READY"), None)

    def register(self, trial: TrialRecord, card: str) -> bool:
        """Make a trial's model the champion of its dataset; False if it was that before."""
        name = f"{self._record.name}-{trial.dataset}"
        self._make_registered(name, card)
        versions = self._client.search_model_versions(f"name = '{name}'")
        mine = [one for one in versions if one.tags.get(_TRIAL_TAG) == trial.key]
        if mine and self._client.get_registered_model(name).aliases.get(ALIAS) == mine[0].version:
            return False
        if not mine:
            logged: Any = self._logged(trial)
            # By its location: a `models:/…` source would be looked up under the process-wide tracking URI.
            new = self._client.create_model_version(
                name,
                logged.artifact_location,
                logged.source_run_id,
                tags={_TRIAL_TAG: trial.key},
                description=card,
                model_id=logged.model_id,
            )
            mine = [new]
        self._client.set_registered_model_alias(name, ALIAS, mine[0].version)
        return True

    def _make_registered(self, name: str, card: str) -> None:
        found = self._client.search_registered_models(f"name = '{name}'")
        if not found:
            self._client.create_registered_model(name, description=card)
        elif found[0].description != card:
            self._client.update_registered_model(name, description=card)


def _save_pyfunc(folder: Path, path: Path, description: Any) -> None:
    """Wrap a model folder as an MLflow model, from code: nothing is pickled and no inference is run."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    uint8 = np.dtype(np.uint8)
    signature = ModelSignature(
        Schema([TensorSpec(uint8, (-1, -1, -1))]), Schema([TensorSpec(uint8, (-1, -1, -1, 3))])
    )
    ramp = np.linspace(0, 255, _EXAMPLE_SIDE, dtype=np.uint8)
    mlflow.pyfunc.save_model(
        path,
        mlflow_model=description,
        python_model=str(_CODE / "study" / "served_model.py"),
        code_paths=[str(_CODE / "models")],
        artifacts={"model": str(folder)},
        signature=signature,
        input_example=np.tile(ramp, (1, _EXAMPLE_SIDE, 1)),
        pip_requirements=requirements(),
    )
