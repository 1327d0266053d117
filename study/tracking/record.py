"""A study read back from MLflow: everything that the table, the report and the models are made from.

Only the tracking server is asked, so that any machine that knows its address can make them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from models.metrics import OBJECTIVE
from models.metrics.evaluation import load_evaluation
from models.plugins import load_extensions
from study.errors import UsageError
from study.search.trial_spec import TrialState
from study.settings.identity import NOBODY, Identity
from study.settings.schema import cell_key
from study.settings.sources import changed_settings
from study.settings.study_folder import existing_home
from study.storage.paths import EVALUATION, contestant_path, trivial_path
from study.tracking.mlflow_client import mlflow_client, mlflow_errors
from study.tracking.names import IDENTITY_TAG, KEY_TAG, LOOKS, MODEL_TAG, ROLES, STUDY_RUN
from study.tracking.trial_record import TrialRecord, trial_record

_ORDER = {role: place for place, role in enumerate(ROLES.values())}


class StudyRecord:
    """A study in MLflow.

    Args:
        uri: Tracking URI.
        name: The study's name.
        identity: The study's, where its folder is at hand.

    Attributes:
        identity: As given.

    Raises:
        UsageError: If there is no such study, or another one of that name.
        StudyError: If the server does not answer.
    """

    def __init__(self, uri: str, name: str, identity: Identity = NOBODY) -> None:
        self.uri = uri
        self.name = name
        self.identity = identity
        with mlflow_errors(f"MLflow at {uri} does not answer"):
            self._client = mlflow_client(uri)
            experiment = self._client.get_experiment_by_name(name)
            runs = list(self._pages(experiment.experiment_id)) if experiment else []
        if experiment and experiment.lifecycle_stage != "active":
            raise UsageError(
                f"The experiment {name} was deleted in MLflow at {uri}; restore it with "
                f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`."
            )
        owner = experiment.tags.get(IDENTITY_TAG) if experiment else None
        if identity.key and experiment and not identity.owns(owner):
            raise UsageError(f"MLflow at {uri} has another study named {name}, not the one in this folder.")
        self._runs = {run.data.tags[KEY_TAG]: run for run in runs if KEY_TAG in run.data.tags}
        if STUDY_RUN not in self._runs:
            raise UsageError(f"MLflow at {uri} has no study named {name}.")
        self.trials = sorted(
            (trial_record(run) for run in self._runs.values() if run.data.tags["role"] in ROLES.values()),
            key=lambda trial: (
                trial.dataset,
                trial.architecture,
                trial.replicate,
                _ORDER[trial.role],
                trial.number,
            ),
        )

    def _pages(self, experiment_id: str) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs([experiment_id], max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved configuration, as JSON has it."""
        return self._document("study.json")

    @cached_property
    def data(self) -> dict[str, Any]:
        """Facts about the data: `vgg16`, and by dataset layout, counts, fingerprint, categories, refused files."""
        return self._document("data.json")

    @cached_property
    def trivial(self) -> dict[str, dict[str, dict[str, float]]]:
        """Test metrics of the trivial predictions, by dataset and by name."""
        return self._document("trivial.json")

    @property
    def tags(self) -> dict[str, str]:
        """Versions, hardware and commit of the driver."""
        tags = self._runs[STUDY_RUN].data.tags
        return {
            name: value
            for name, value in tags.items()
            if not name.startswith(("mlflow.", "study.", "role", LOOKS))
        }

    @property
    def looks(self) -> list[int]:
        """Numbers of replicates after which results were compared, growing; empty before the first comparison."""
        looks: list[int] = json.loads(self._runs[STUDY_RUN].data.tags.get(LOOKS, "[]"))
        return looks

    @property
    def replicates(self) -> int:
        """Number of replicates of the (dataset, architecture) that has most."""
        return max([self.settings.get("replicates", 1), *(trial.replicate for trial in self.trials)])

    @property
    def notes(self) -> list[str]:
        """Sentences that the study left for its readers."""
        text = self._runs[STUDY_RUN].data.tags.get("mlflow.note.content", "")
        return [line.removeprefix("- ") for line in text.splitlines() if line]

    @property
    def finished(self) -> bool:
        """Whether the study's driver reached its end."""
        return str(self._runs[STUDY_RUN].info.status) == "FINISHED"

    def test_images(self, dataset: str, replicate: int = 1) -> tuple[list[str], list[int]]:
        """The test images' files and categories (−1 for none), in the order of evaluations; empty if not recorded."""
        facts = self.data["datasets"][dataset]
        own = facts.get("tests_of_replicates", {}).get(str(replicate), facts)
        return list(own.get("test_files", [])), list(own.get("test_categories", []))

    @property
    def usage(self) -> dict[str, dict[str, Any]]:
        """What using each architecture costs, see `models.usage.Usage`; empty if it was not measured."""
        return dict(self.data.get("usage", {}))

    @property
    def objective(self) -> str:
        """What the study minimises: `ciede2000` or `kept_ciede2000`."""
        return str(self.settings.get("objective", OBJECTIVE))

    @property
    def rotates(self) -> bool:
        """Whether each replicate has a test split of its own."""
        return bool(self.settings.get("splits", {}).get("test") == "rotate")

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Every (dataset, architecture), in the configuration's order."""
        return [(one, other) for one in self.settings["datasets"] for other in self.settings["architectures"]]

    def search(self, dataset: str, architecture: str, replicate: int | None = None) -> list[TrialRecord]:
        """The search trials by replicate, then number; of all replicates, if none is given."""
        trials = self._of(dataset, architecture, "trial")
        return [one for one in trials if replicate in (None, one.replicate)]

    def finals(self, dataset: str, architecture: str) -> list[TrialRecord]:
        """The complete finals by replicate, then number."""
        return [one for one in self._of(dataset, architecture, "final") if one.state == TrialState.COMPLETE]

    def controls(self, dataset: str, architecture: str) -> list[TrialRecord]:
        """The complete controls of the finals, likewise."""
        return [one for one in self._of(dataset, architecture, "control") if one.state == TrialState.COMPLETE]

    def _of(self, dataset: str, architecture: str, role: str) -> list[TrialRecord]:
        wanted = (dataset, architecture, role)
        return [one for one in self.trials if (one.dataset, one.architecture, one.role) == wanted]

    def run_id(self, key: str) -> str | None:
        """The MLflow run of a cell (see `cell_key`), a trial or the study (`study`)."""
        return self._runs[key].info.run_id if key in self._runs else None

    def model_uri(self, dataset: str, architecture: str) -> str:
        """Where the ready-to-use model of a cell lies; empty if there is none."""
        run = self._runs.get(cell_key(dataset, architecture))
        return str(run.data.tags.get(MODEL_TAG, "")) if run else ""

    def history(self, trial: TrialRecord, metric: str) -> list[tuple[int, float]]:
        """(epoch, value) of one metric of a trial, such as `train/loss`."""
        points = self._client.get_metric_history(trial.run_id, metric)
        return sorted((point.step, point.value) for point in points)

    def metric_names(self, trial: TrialRecord) -> list[str]:
        """Every metric of a trial."""
        return sorted(self._runs[trial.key].data.metrics)

    def evaluation(self, final: TrialRecord) -> dict[str, np.ndarray]:
        """A final's test quantities image by image (N each); `index` are positions in the dataset."""
        return self._evaluation(final.run_id, EVALUATION)

    def trivial_evaluation(self, dataset: str, name: str, replicate: int = 1) -> dict[str, np.ndarray]:
        """The same for a trivial prediction (`models.metrics.TRIVIAL`) on a replicate's test split."""
        path = trivial_path(dataset, name, replicate if self.rotates else 1)
        return self._evaluation(self._runs[STUDY_RUN].info.run_id, path)

    def contestants(self, dataset: str) -> list[str]:
        """The contestants that have pictures of a dataset's test images."""
        return list(self.data["datasets"][dataset].get("contestants", []))

    def contestant_evaluation(self, dataset: str, name: str) -> dict[str, np.ndarray]:
        """The same for a contestant."""
        return self._evaluation(self._runs[STUDY_RUN].info.run_id, contestant_path(dataset, name))

    def _evaluation(self, run_id: str, path: str) -> dict[str, np.ndarray]:
        with TemporaryDirectory() as folder:
            return load_evaluation(self.download(run_id, path, Path(folder)))

    def download(self, run_id: str, path: str, into: Path) -> Path:
        """Fetch an artifact of a run.

        Raises:
            StudyError: If it is not there.
        """
        with mlflow_errors(f"MLflow has no artifact {path} for the study {self.name}"):
            return Path(self._client.download_artifacts(run_id, path, str(into)))

    def _document(self, name: str) -> dict[str, Any]:
        with TemporaryDirectory() as folder:
            path = self.download(self._runs[STUDY_RUN].info.run_id, name, Path(folder))
            return dict(json.loads(path.read_text(encoding="utf-8")))


def open_record(name: str, home: Path, tracking_uri: str | None = None) -> StudyRecord:
    """A study by its folder, or by a tracking server's address alone.

    Args:
        name: The study's.
        home: The folder of all studies.
        tracking_uri: Where to read from instead of what the study's settings say; its folder is not needed then.

    Raises:
        UsageError: If there is no such study; the message names those there are.
        StudyError: If the server does not answer.
    """
    if tracking_uri:
        load_extensions([])
        return StudyRecord(tracking_uri, name)
    folder = existing_home(home, name)
    settings = changed_settings(folder.settings_file, {})
    return StudyRecord(folder.tracking_uri(settings), name, folder.identity or NOBODY)
