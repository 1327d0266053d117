"""Turns what happens in a study into events for MLflow: runs, parameters, metrics and pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.metrics import OBJECTIVE
from study.search.cells import Cell, Stage
from study.search.trial_spec import End, Report, TrialSpec
from study.storage.paths import EVALUATION, PREDICTIONS, grey_path, trial_folder, truth_path
from study.tracking.names import (
    BEST,
    CONTROLS,
    DEVICE_SECONDS,
    EPOCHS,
    EPOCHS_PARAM,
    LOOKS,
    ONCE,
    REASON_TAG,
    REPLICATE,
    ROLES,
    SAMPLES,
    SEARCH_BEST,
    STATE_TAG,
    STATUS,
    STUDY_RUN,
    metric_name,
    without_parts,
)
from study.tracking.outbox import Outbox


@dataclass(frozen=True)
class Shared:
    """What all runs of a study carry, so that MLflow can filter and compare by it.

    Attributes:
        tags: Who started it, and from which commit.
        params: Settings that are fixed for the study, by their names in its file.
        data: Of each dataset, what `MlflowRuns` logs as a run's input: `digest`, `source` and `profile`.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Tracker:
    """Writes every event of a study to the outbox; a listener of the conductor.

    Args:
        outbox: Keeps the events until they are delivered.
        rotating_tests: Whether each replicate has a test split of its own.
        objective: What the study minimises.
    """

    def __init__(self, outbox: Outbox, *, rotating_tests: bool = False, objective: str = OBJECTIVE) -> None:
        self._outbox = outbox
        self._objective = objective
        self._rotating_tests = rotating_tests
        self._shared = Shared()
        self._shown: set[str] = set()

    def _add(self, run: str, do: str, **content: Any) -> None:
        # No two events of a study have the same time, even if the clock was set back before it was resumed: MLflow
        # sorts runs by it, and of two values shows the one told later.
        later = max(int(time.time() * 1000), self._outbox.latest_time + 1)
        self._outbox.append({"run": run, "do": do, "time": later, **content})

    def open_study(
        self, documents: Mapping[str, str], tags: Mapping[str, str], shared: Shared | None = None
    ) -> None:
        """Open the run that stands for the study as a whole.

        Args:
            documents: Texts by file name: configuration, facts about the data.
            tags: Versions, hardware, commit.
            shared: What the runs that are opened from now on carry, too.
        """
        self._shared = shared or self._shared
        self._open(STUDY_RUN, None, {"role": "study", **tags})
        for name, text in documents.items():
            self.document(name, text)

    def _open(
        self,
        run: str,
        parent: str | None,
        tags: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        dataset: str | None = None,
    ) -> None:
        shared = self._shared
        inputs = [{"name": name, **one} for name, one in shared.data.items() if name == dataset]
        self._add(
            run,
            "open",
            name=run,
            parent=parent,
            params=dict(params or {}),
            tags={**shared.tags, **tags},
            inputs=inputs,
        )

    def document(self, name: str, text: str) -> None:
        """Log a text for the study as a whole."""
        self._add(STUDY_RUN, "text", path=name, text=text)

    def open_cell(self, cell: Cell) -> None:
        """A parent run for the cell's trials."""
        # The epochs are a tag, since a parameter could not change when the study is extended.
        tags = {
            "role": "cell",
            "dataset": cell.dataset,
            "architecture": cell.architecture,
            REPLICATE: str(cell.replicate),
            "epochs": str(cell.epochs),
        }
        self._open(cell.key, None, tags, dataset=cell.dataset)

    def looked(self, replicates: Sequence[int]) -> None:
        """Record after how many replicates results were compared, all looks so far."""
        self._add(STUDY_RUN, "tags", tags={LOOKS: json.dumps(list(replicates))})

    def close(self, run: str, status: str = "FINISHED") -> None:
        """End a cell's run or the study's."""
        self._add(run, "close", status=status)

    def artifact(self, run: str, key: str, path: str) -> None:
        """Log a file of the study's storage under a path of a run's artifacts."""
        self._add(run, "file", key=key, path=path)

    def started(self, spec: TrialSpec) -> None:
        """Open the trial's run."""
        tags = {
            "role": ROLES[spec.stage],
            "dataset": spec.dataset,
            "architecture": spec.architecture,
            REPLICATE: str(spec.replicate),
            "number": str(spec.number),
            "seed": str(spec.seed),
        }
        if spec.controls is not None:
            tags[CONTROLS] = str(spec.controls)
        if spec.generator_from is not None:
            tags["generator_from"] = str(spec.generator_from)
        if spec.continues is not None:
            tags["continues"] = str(spec.continues)
        params = {name: str(value) for name, value in spec.params.items()}
        fixed = {
            name: value
            for name, value in self._shared.params.items()
            if name.rpartition(".")[2] not in params  # searched in this cell
        }
        params |= fixed | {EPOCHS_PARAM: str(spec.epochs)}
        self._open(spec.key, spec.cell, tags, params, spec.dataset)

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """Tag the trial's run with the nodes that it ran on."""
        self._add(spec.key, "tags", tags={"nodes": ", ".join(nodes)})

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """Log one point per metric."""
        values = {
            metric_name(spec.network, name): value
            for name, value in without_parts(report).items()
            if name != "epoch"
        }
        self._add(spec.key, "metrics", step=int(report["epoch"]), values=values)

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """Log a picture at its epoch."""
        self._add(spec.key, "image", step=epoch, key=key, name=SAMPLES)

    def ended(self, spec: TrialSpec, end: End) -> None:
        """Log the trial's result and costs, and close its run."""
        costs: dict[str, float] = {EPOCHS: end.epochs, DEVICE_SECONDS: end.device_seconds}
        if end.value is not None:
            costs[f"{BEST}{self._objective}"] = end.value
        self._add(spec.key, "metrics", step=ONCE, values=costs)
        if end.test:
            values = {f"test/{name}": value for name, value in without_parts(end.test).items()}
            self._add(spec.key, "metrics", step=ONCE, values=values)
            folder = trial_folder(spec.key)
            for name in (EVALUATION, PREDICTIONS):
                self.artifact(spec.key, f"{folder}/{name}", name)
            self._show_test_images(spec.dataset, spec.replicate if self._rotating_tests else 1)
        tags = {STATE_TAG: str(end.state), **({REASON_TAG: end.reason} if end.reason else {})}
        self._add(spec.key, "tags", tags=tags)
        self._add(spec.key, "close", status=STATUS[end.state])
        if spec.stage is Stage.SEARCH and end.best is not None:
            self._add(
                spec.cell, "metrics", step=end.ended, values={f"{SEARCH_BEST}{self._objective}": end.best}
            )

    def _show_test_images(self, dataset: str, replicate: int) -> None:
        for path in (truth_path(dataset, replicate), grey_path(dataset, replicate)):
            if path not in self._shown:  # every final on the same test split stores the same ones
                self._shown.add(path)
                self.artifact(STUDY_RUN, path, path)

    def noted(self, sentence: str) -> None:
        """Add a sentence to the study's description."""
        self._add(STUDY_RUN, "note", text=sentence)
