"""Models in MLflow: logged to their cells, and registered."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from study.deployment.model_folder import write_model_folder
from study.errors import UsageError
from study.settings.identity import NOBODY, Identity
from study.settings.schema import StudySettings, cell_key
from study.storage.storage import Storage
from study.tracking.mlflow_client import mlflow_client
from study.tracking.names import IDENTITY_TAG, MODEL_TAG, ONCE, registered_name
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

ALIAS = "champion"
_TRIAL_TAG = "study.trial"
_PACKAGES = (
    "mlflow",
    "torch",
    "torchvision",
    "torchmetrics",
    "numpy",
    "pillow",
    "safetensors",
    "lazy_loader",
)
_EXAMPLE_SIDE = 16
CODE = Path(__file__).parents[2]
"""Where the packages `models` and `data_utils` lie, which travel with a model."""


def requirements() -> list[str]:
    """What the served model needs, as installed here; local builds such as `+cpu` are not on any index."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in _PACKAGES]


def champion_address(study: str, dataset: str) -> str:
    """What MLflow calls a dataset's champion."""
    return f"models:/{registered_name(study, dataset)}@{ALIAS}"


class ModelRegistry:
    """Logs and registers the models of one study; what exists is found again, so nothing is created twice.

    Args:
        record: The study in MLflow.
        identity: The study's, which its registered models carry.
    """

    def __init__(self, record: StudyRecord, identity: Identity = NOBODY) -> None:
        self._record = record
        self._identity = identity
        self._client = mlflow_client(record.uri)
        experiment = self._client.get_experiment_by_name(record.name)
        self._experiment_id = experiment.experiment_id

    def log_model(self, trial: TrialRecord, settings: StudySettings, storage: Storage) -> None:
        """Log a trial's model and its test metrics to its run, unless it is there, and name it in its cell's."""
        logged = self._logged(trial)
        if logged is None:
            with TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                write_model_folder(self._record, trial, settings, storage, folder)
                logged = self._upload(trial, folder)
        cell = self._record.run_id(cell_key(trial.dataset, trial.architecture))
        if self._record.model_uri(trial.dataset, trial.architecture) != logged.model_uri:
            self._client.set_tag(cell, MODEL_TAG, logged.model_uri)

    def _upload(self, trial: TrialRecord, folder: Path) -> Any:
        # Step by step and not by `mlflow.pyfunc.log_model`, which would reopen the trial's run and use the
        # process-wide tracking URI and experiment.
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric
        from mlflow.models import Model

        logged = self._client.create_logged_model(
            self._experiment_id,
            name=trial.key.replace("/", "-"),
            source_run_id=trial.run_id,
            tags={_TRIAL_TAG: trial.key},
            params={name: str(value) for name, value in trial.params.items()},
        )
        description = Model(
            artifact_path=logged.artifact_location,
            run_id=trial.run_id,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
        )
        with TemporaryDirectory() as temporary:
            path = Path(temporary) / "mlflow"
            _save_pyfunc(folder, path, description)
            self._client.log_model_artifacts(logged.model_id, str(path))
        self._client.log_outputs(trial.run_id, [LoggedModelOutput(logged.model_id, step=ONCE)])
        metrics = [
            Metric(point.key, point.value, point.timestamp, ONCE, model_id=logged.model_id)
            for name in trial.test
            for point in self._client.get_metric_history(trial.run_id, f"test/{name}")
        ]
        self._client.log_batch(trial.run_id, metrics=metrics, synchronous=True)
        return self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)

    def _logged(self, trial: TrialRecord) -> Any | None:
        found = self._client.search_logged_models(
            [self._experiment_id], filter_string=f"tags.`{_TRIAL_TAG}` = '{trial.key}'"
        )
        ready = [model for model in found if str(model.status) == "READY"]
        for model in found:
            if model not in ready:  # its upload was killed
                self._client.delete_logged_model(model.model_id)
        return ready[0] if ready else None

    def register(self, trial: TrialRecord, card: str) -> bool:
        """Make a trial's model the champion of its dataset; False if it was that before.

        Raises:
            UsageError: If the registered model belongs to another study.
        """
        name = registered_name(self._record.name, trial.dataset)
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
            tags = {IDENTITY_TAG: self._identity.key}
            self._client.create_registered_model(name, tags=tags, description=card)
            return
        if not self._identity.owns(found[0].tags.get(IDENTITY_TAG)):
            raise UsageError(
                f"MLflow at {self._record.uri} has a registered model {name} that belongs to another study; rename it "
                "there, and publish this study's models with study.sync."
            )
        if IDENTITY_TAG not in found[0].tags:
            self._client.set_registered_model_tag(name, IDENTITY_TAG, self._identity.key)
        if found[0].description != card:
            self._client.update_registered_model(name, description=card)


def _save_pyfunc(folder: Path, path: Path, description: Any) -> None:
    """Wrap a model folder as an MLflow model, from code: nothing is pickled and no inference is run."""
    import mlflow

    ramp = np.linspace(0, 255, _EXAMPLE_SIDE, dtype=np.uint8)
    mlflow.pyfunc.save_model(
        path,
        mlflow_model=description,
        python_model=str(Path(__file__).with_name("served_model.py")),
        code_paths=[str(CODE / "models"), str(CODE / "data_utils")],
        artifacts={"model": str(folder)},
        signature=False,  # MLflow has none for arrays or else files; the model checks what it is given
        input_example=np.tile(ramp, (1, _EXAMPLE_SIDE, 1)),
        pip_requirements=requirements(),
    )
