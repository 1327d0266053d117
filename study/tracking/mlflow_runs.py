"""A study's runs in MLflow: found again by tag, and no point logged that is there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

from PIL import Image

from data_utils.pictures import without_prediction
from study.errors import StudyError
from study.settings.identity import NOBODY, Identity
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.storage import Storage
from study.tracking.mlflow_client import dataset_input, mlflow_client
from study.tracking.names import IDENTITY_TAG, KEY_TAG, ONCE, REASON_TAG, SEARCH_BEST, STATE_TAG
from study.tracking.outbox import Event

if TYPE_CHECKING:
    from mlflow.entities import Metric

# The first paragraph is what a folded description shows.
_DESCRIPTION = f"""Below each cell (dataset/architecture) lie the trials of its search, and its finals.

- `validation/…` and `train/…` are by epoch, `test/…`, `best/…` and `cost/…` once per run, and `{SEARCH_BEST}…` of a \
cell by the number of trials that have ended.
- Pictures: the grey input above, the prediction, the truth below. At step 0 there is no prediction yet.
- Trials that were stopped early are *killed*; a diverged one has *failed*, and its tags say why.
"""
_EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",  # the other kind is for language models
    "mlflow.note.content": _DESCRIPTION,
}


class MlflowRuns:
    """The study's experiment in MLflow.

    Args:
        uri: Tracking URI.
        experiment: The study's name.
        artifacts: Where artifacts go if the experiment is made now and no server decides it.
        storage: Where the study's pictures and evaluations lie.
        identity: The study's, which the experiment carries.

    Attributes:
        experiment: The number that MLflow gave it.

    Raises:
        StudyError: If the experiment belongs to another study.
    """

    def __init__(
        self, uri: str, experiment: str, artifacts: str | None, storage: Storage, identity: Identity = NOBODY
    ) -> None:
        self._client = mlflow_client(uri)
        self._storage = storage
        self._identity = identity
        self.experiment = self._find_or_make(experiment, artifacts)
        self._runs: dict[str, str] = {}
        self._found: set[str] = set()
        # Of the runs that are open, by run and name.
        self._points: dict[str, dict[str, dict[int, Metric]]] = defaultdict(dict)
        self._pictures: dict[str, dict[str, set[int]]] = defaultdict(dict)
        self._find_runs()

    def _find_or_make(self, name: str, artifacts: str | None) -> str:
        experiment = self._client.get_experiment_by_name(name)
        tags = {IDENTITY_TAG: self._identity.key} if self._identity.key else {}
        if experiment is None:
            return self._client.create_experiment(name, artifacts, tags={**_EXPERIMENT_TAGS, **tags})
        if experiment.lifecycle_stage != "active":
            raise StudyError(
                f"its experiment {name} was deleted; restore it with "
                f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`, then deliver with study.sync"
            )
        found = experiment.tags.get(IDENTITY_TAG)
        empty = not self._client.search_runs([experiment.experiment_id], max_results=1)
        if tags and not (self._identity.owns(found) or (found is None and empty)):
            raise StudyError(f"its experiment {name} belongs to another study")
        if tags and found is None:
            self._client.set_experiment_tag(experiment.experiment_id, IDENTITY_TAG, self._identity.key)
        return experiment.experiment_id

    def _find_runs(self) -> None:
        token: str | None = ""
        while token is not None:
            page = self._client.search_runs([self.experiment], max_results=1000, page_token=token or None)
            for run in page:
                if key := run.data.tags.get(KEY_TAG):
                    self._runs[key] = run.info.run_id
                    self._found.add(key)
            token = page.token or None

    @property
    def keys(self) -> set[str]:
        """The runs that MLflow has."""
        return set(self._runs)

    def writable(self, key: str) -> bool:
        """Whether MLflow still has the experiment, and the run if it was opened, and lets them be written to.

        Raises:
            Exception: Of MLflow, if it cannot be asked.
        """
        stages = [self._client.get_experiment(self.experiment).lifecycle_stage]
        if key in self._runs:
            stages.append(self._client.get_run(self._runs[key]).info.lifecycle_stage)
        return all(stage == "active" for stage in stages)

    def deliver(self, events: list[Event]) -> None:
        """Deliver events in order; consecutive metrics of one run travel together."""
        waiting: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            if event["do"] == "metrics":
                waiting[event["run"]].append(event)
                continue
            self._log_metrics(event["run"], waiting.pop(event["run"], []))
            self._handlers[event["do"]](self, event)
        for run, metrics in waiting.items():
            self._log_metrics(run, metrics)

    def _open(self, event: Event) -> None:
        from mlflow.entities import Param

        key, there = event["run"], {}
        if key not in self._runs:
            tags = {KEY_TAG: key, **event["tags"]}
            if event["parent"]:
                tags["mlflow.parentRunId"] = self._runs[event["parent"]]
            run = self._client.create_run(
                self.experiment, start_time=event["time"], tags=tags, run_name=event["name"]
            )
            self._runs[key] = run.info.run_id
        else:
            self._client.update_run(self._runs[key], status="RUNNING")
            tags, there = (data := self._client.get_run(self._runs[key]).data).tags, data.params
            for name in {STATE_TAG, REASON_TAG} & set(tags):
                self._client.delete_tag(self._runs[key], name)  # how it ended before a crash
            if event["parent"]:  # which may itself have been lost, and made anew
                self._client.set_tag(self._runs[key], "mlflow.parentRunId", self._runs[event["parent"]])
            for name, value in event["tags"].items():
                self._client.set_tag(self._runs[key], name, value)
        params = [Param(name, str(value)) for name, value in event["params"].items() if name not in there]
        if params:
            self._client.log_batch(self._runs[key], params=params, synchronous=True)
        if inputs := event.get("inputs"):
            self._client.log_inputs(self._runs[key], [dataset_input(one) for one in inputs])

    def _log_metrics(self, key: str, events: list[Event]) -> None:
        from mlflow.entities import Metric

        points: dict[tuple[str, int], Metric] = {}
        for event in events:
            for name, value in event["values"].items():
                step, time = event["step"], event["time"]
                known = points.get((name, step)) or self._points_of(key, name).get(step)
                # Of what a run has once the last is true: after a crash a trial ends again, and may end otherwise.
                if known is None or (step == ONCE and time > known.timestamp and value != known.value):
                    points[name, step] = Metric(name, value, time, step)
        fresh = list(points.values())
        for start in range(0, len(fresh), 1000):
            chunk = fresh[start : start + 1000]
            self._client.log_batch(self._runs[key], metrics=chunk, synchronous=True)
            for point in chunk:
                self._points[key][point.key][point.step] = point

    def _points_of(self, key: str, name: str) -> dict[int, Metric]:
        """A metric of a run by step, as MLflow has it; asked once, and only of runs that it had before."""
        if name not in self._points[key]:
            history = self._client.get_metric_history(self._runs[key], name) if key in self._found else []
            latest = sorted(history, key=lambda point: point.timestamp)
            self._points[key][name] = {point.step: point for point in latest}
        return self._points[key][name]

    def _image(self, event: Event) -> None:
        run, name, step = self._runs[event["run"]], event["name"], event["step"]
        steps = self._pictured_steps(event["run"], name)
        if step in steps:
            return
        with TemporaryDirectory() as folder:
            file = self._storage.get_file(event["key"], Path(folder))
            if file is None:
                return
            with Image.open(file) as picture:
                grid = picture.convert("RGB")
        # MLflow's pages start at step 0 and would show nothing without a picture there.
        for at, shown in ((0, without_prediction(grid)), (step, grid)):
            if at not in steps:
                self._client.log_image(run, shown, key=name, step=at)
                steps.add(at)

    def _pictured_steps(self, key: str, name: str) -> set[int]:
        """Steps that a run has pictures of in MLflow; asked once, and only of runs that it had before."""
        if name not in self._pictures[key]:
            found = self._client.list_artifacts(self._runs[key], "images") if key in self._found else []
            parts = [file.path.removeprefix("images/").split("+") for file in found]  # NAME+step+STEP+…
            self._pictures[key][name] = {int(one[2]) for one in parts if one[0] == name.replace("/", "~")}
        return self._pictures[key][name]

    def _file(self, event: Event) -> None:
        with TemporaryDirectory() as folder:
            file = self._storage.get_file(event["key"], Path(folder))
            if file is not None:
                parent = Path(event["path"]).parent
                folder_in_run = None if parent == Path() else str(parent)
                self._client.log_artifact(self._runs[event["run"]], str(file), folder_in_run)

    def _text(self, event: Event) -> None:
        self._client.log_text(self._runs[event["run"]], event["text"], event["path"])

    def _tags(self, event: Event) -> None:
        for name, value in event["tags"].items():
            self._client.set_tag(self._runs[event["run"]], name, value)

    def _note(self, event: Event) -> None:
        run = self._runs[event["run"]]
        earlier = self._client.get_run(run).data.tags.get("mlflow.note.content", "")
        if event["text"] not in earlier:
            self._client.set_tag(run, "mlflow.note.content", f"{earlier}\n- {event['text']}".strip())

    def _close(self, event: Event) -> None:
        run = event["run"]
        self._client.set_terminated(self._runs[run], event["status"], event["time"])
        self._found.add(run)  # MLflow is asked again, should there be more of it
        for known in (self._points, self._pictures):
            known.pop(run, None)

    _handlers: ClassVar[dict[str, Callable[[MlflowRuns, Event], None]]] = {
        "open": _open,
        "image": _image,
        "file": _file,
        "text": _text,
        "tags": _tags,
        "note": _note,
        "close": _close,
    }


def connect_tracker(settings: StudySettings, home: StudyHome) -> MlflowRuns:
    """A connection to the study's experiment in MLflow."""
    uri = home.tracking_uri(settings)
    artifacts = None if uri.startswith(("http://", "https://")) else home.artifacts.as_uri()
    storage = Storage(home.storage_uri(settings))
    return MlflowRuns(uri, settings.name, artifacts, storage, home.identity or NOBODY)
