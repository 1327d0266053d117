"""Studies written to MLflow through the real tracker without training: images and predictions are made up."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from data_utils.pictures import save_sheet, to_uint8
from models.architectures import architecture
from models.metrics import TRIVIAL, grey_copy, luma, white
from models.metrics.evaluation import evaluate, save_evaluation, summary_of
from study.search.cells import Cell, Stage
from study.search.trial_spec import ENERGY, End, TrialSpec, TrialState
from study.settings.schema import StudySettings
from study.storage.paths import (
    EVALUATION,
    PREDICTIONS,
    contestant_path,
    grey_path,
    trial_folder,
    trivial_path,
    truth_path,
)
from study.storage.storage import Storage
from study.tracking.delivery import deliver_all
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.names import STUDY_RUN
from study.tracking.outbox import Outbox
from study.tracking.record import StudyRecord
from study.tracking.tracker import Tracker
from study.training.trivial_baselines import trivial_document

SIZE = 16
COLOURS = {"Cucumber": (0.2, 0.6, 0.2), "Lemon": (0.9, 0.85, 0.2), "Tomato": (0.85, 0.15, 0.1)}
PER_CATEGORY = 4


class Batch(NamedTuple):
    grey: torch.Tensor
    colour: torch.Tensor
    features: None
    index: torch.Tensor


def batch() -> Batch:
    """Noisy discs of the categories' colours on white; N×3×16×16 in [−1, 1]."""
    generator = torch.Generator().manual_seed(1)
    axis = torch.linspace(-1, 1, SIZE)
    disc = (axis[:, None] ** 2 + axis**2 < 0.6).float()
    images = []
    for rgb in COLOURS.values():
        for _ in range(PER_CATEGORY):
            noise = 0.1 * torch.randn(3, SIZE, SIZE, generator=generator)
            painted = torch.tensor(rgb)[:, None, None] + noise
            images.append(disc * painted + 1 - disc)
    colour = torch.stack(images).clamp(0, 1)
    return Batch(luma(colour)[:, None] * 2 - 1, colour * 2 - 1, None, torch.arange(len(colour)))


@dataclass
class Ending:
    """How one search trial of a made-up cell ends."""

    state: TrialState
    value: float | None
    params: dict[str, float | str]
    reason: str = ""
    generator_from: int | None = None
    losses: dict[str, float] | None = None


class Writer:
    """Writes one study; `close` delivers it."""

    def __init__(
        self,
        folder: Path,
        uri: str,
        name: str,
        *,
        architectures: Sequence[str],
        datasets: Sequence[str],
        seeds: int = 2,
        replicates: int = 1,
        pictures: bool = True,
        watts: float = 0.0,
        leaks: Sequence[int] = (),
        contestant: str = "",
        **more: object,
    ) -> None:
        self.settings = StudySettings(
            name=name,
            seed=0,
            replicates=replicates,
            datasets={one: {"root": f"drawn:{one}"} for one in datasets},
            architectures=list(architectures),
            model={"image_size": SIZE, "width": 2, "device": "cpu", "vgg16": "random"},
            budget={"trials": 4, "epochs": 4},
            finals={"seeds": seeds},
            verdict={"until": "decided"},
            **more,
        )
        self._leaks = list(leaks)
        self._contestant = contestant  # has pictures of all test images but the last two
        self._watts = watts  # of made-up devices that count their energy
        self._uri, self._name, self._folder, self._pictures = uri, name, folder / name, pictures
        self.storage = Storage(str(self._folder / "storage"))
        self._outbox = Outbox(self._folder / "outbox")
        self.tracker = Tracker(self._outbox, objective=self.settings.objective)
        self._batch = batch()
        facts = {
            "vgg16": "random (seed 0, not pretrained)",
            "usage": {
                one: {
                    "weights": 1_000_000,
                    "multiply_adds": 2_000_000,
                    "milliseconds": 3.0 + number,
                    "peak_bytes": 4_000_000,
                    "device": "made-up",
                }
                for number, one in enumerate(architectures)
            },
            "datasets": {one: self._facts() for one in datasets},
        }
        documents = {"study.json": self.settings.model_dump_json(), "data.json": json.dumps(facts)}
        self.tracker.open_study(documents, {"version.torch": torch.__version__, "commit": "abc"})
        self._write_trivial(datasets)
        for cell in self.cells:
            self.tracker.open_cell(cell)

    @property
    def cells(self) -> list[Cell]:
        names, datasets = self.settings.architectures, self.settings.datasets
        replicates = range(1, self.settings.replicates + 1)
        return [
            Cell(dataset, name, 4, replicate=replicate)
            for dataset in datasets
            for name in names
            for replicate in replicates
        ]

    def _facts(self) -> dict:
        count = len(self._batch.colour)
        return {
            "layout": "drawn",
            "drawn": True,
            "fingerprint": "0123456789abcdef" * 4,
            "images": 100,
            "train": 60,
            "train_available": 80,
            "validation": 10,
            "test": count,
            "categories": list(COLOURS),
            "duplicates": 0,
            "test_files": [f"{name}/{number}.jpg" for name in COLOURS for number in range(PER_CATEGORY)],
            "test_categories": [number for number in range(len(COLOURS)) for _ in range(PER_CATEGORY)],
            "test_leaks": self._leaks,
            "contestants": [self._contestant] if self._contestant else [],
            "refused": [{"file": "bad<b>.jpg", "reason": "is no image"}],
        }

    def _write_trivial(self, datasets: Sequence[str]) -> None:
        tint = torch.tensor([0.05, 0.0, -0.05])[:, None, None]
        predictions = {
            "grey copy": grey_copy,
            "white": white,
            "best tint": lambda grey: grey_copy(grey) - tint,
            "mean chroma": lambda grey: grey_copy(grey) + tint,
        }
        rows = {
            name: evaluate(lambda grey, _, made=predictions[name]: made(grey).clamp(-1, 1), [self._batch])
            for name in TRIVIAL
        }
        self.tracker.document("trivial.json", trivial_document({dataset: {1: rows} for dataset in datasets}))
        if self._contestant:
            some = Batch(*(None if part is None else part[:-2] for part in self._batch))
            path = contestant_path(datasets[0], self._contestant)
            self._store(path, evaluate(lambda grey, _: grey_copy(grey) - tint, [some]))
            self.tracker.artifact(STUDY_RUN, path, path)
        for dataset in datasets:
            for name, quantities in rows.items():
                path = trivial_path(dataset, name)
                self._store(path, quantities)
                self.tracker.artifact(STUDY_RUN, path, path)

    def _store(self, key: str, quantities: dict[str, np.ndarray]) -> None:
        file = self._folder / "evaluation.safetensors"
        save_evaluation(file, quantities)
        self.storage.put_file(key, file)

    def _store_sheet(self, key: str, images: torch.Tensor) -> None:
        file = self._folder / "sheet.jpg"
        save_sheet(file, to_uint8(images))
        self.storage.put_file(key, file)

    def search(self, dataset: str, name: str, endings: Sequence[Ending | None], replicate: int = 1) -> None:
        """Search trials in order; None is one that is still running."""
        for number, ending in enumerate(endings):
            params = ending.params if ending else dict(architecture(name).textbook)
            one = TrialSpec(
                dataset,
                name,
                Stage.SEARCH,
                number,
                params,
                seed=number,
                epochs=4,
                generator_from=ending.generator_from if ending else None,
                replicate=replicate,
            )
            self.tracker.started(one)
            epochs = 4 if ending and ending.state is TrialState.COMPLETE else 2
            self._report(one, epochs, ending)
            if ending:
                self._end(one, ending.state, ending.value, epochs, reason=ending.reason)
            time.sleep(0.002)  # runs that start later must be seen to

    def final(
        self,
        dataset: str,
        name: str,
        number: int,
        error: float,
        generator_from: int | None = None,
        *,
        replicate: int = 1,
        controls: int | None = None,
        collapsed: bool = False,
    ) -> None:
        """A complete final whose predictions are the truth pulled `error` of the way to purple, plus noise.

        With `controls` it is the control of that final.
        """
        params = dict(architecture(name).textbook)
        one = TrialSpec(
            dataset,
            name,
            Stage.FINAL if controls is None else Stage.CONTROL,
            number,
            params,
            seed=100 + number,
            epochs=4,
            generator_from=generator_from,
            replicate=replicate,
            controls=controls,
        )
        generator = torch.Generator().manual_seed(10 * replicate + number)
        noise = 0.02 * torch.randn(self._batch.colour.shape, generator=generator)
        wrong = torch.tensor([0.4, -0.2, 0.2])[:, None, None]
        prediction = ((1 - error) * self._batch.colour + error * wrong + noise).clamp(-1, 1)
        quantities = evaluate(lambda grey, _: prediction, [self._batch])
        folder = trial_folder(one.key)
        self._store(f"{folder}/{EVALUATION}", quantities)
        if self._pictures:
            self._store_sheet(f"{folder}/{PREDICTIONS}", prediction)
            self._store_sheet(truth_path(dataset), self._batch.colour)
            self._store_sheet(grey_path(dataset), self._batch.grey.expand(-1, 3, -1, -1))
        self.tracker.started(one)
        self._report(one, 4, None, {"collapsed": float(collapsed)})
        self._end(one, TrialState.COMPLETE, 10 + error, 4, test=summary_of(quantities))

    def _report(
        self, one: TrialSpec, epochs: int, ending: Ending | None, more: dict[str, float] | None = None
    ) -> None:
        last = ending.value if ending and ending.value is not None else 12.0
        losses = dict.fromkeys(architecture(one.architecture).losses, 0.5) | (
            ending.losses or {} if ending else {}
        )
        for epoch in range(1, epochs + 1):
            value = last + (epochs - epoch) * 0.5
            report = {
                "epoch": epoch,
                **losses,
                "nonfinite_steps": 0.0,
                "ciede2000": value,
                "kept_ciede2000": value,
                "device_seconds": 1.0,
                **(more or {}),
            }
            if self._watts:
                report[ENERGY] = self._watts * epoch
            self.tracker.reported(one, report)

    def _end(
        self,
        one: TrialSpec,
        state: TrialState,
        value: float | None,
        epochs: int,
        *,
        reason: str = "",
        test: dict[str, float] | None = None,
    ) -> None:
        self.tracker.ended(one, End(state, reason, value, epochs, float(epochs), test, one.number + 1, value))

    def close(self, *, finished: bool = True) -> StudyRecord:
        """Deliver everything and read it back."""
        if finished:
            for cell in self.cells:
                self.tracker.close(cell.key)
            self.tracker.close(STUDY_RUN)
        artifacts = (self._folder / "artifacts").as_uri()
        deliver_all(self._outbox, lambda: MlflowRuns(self._uri, self._name, artifacts, self.storage), print)
        self._outbox.close()
        return StudyRecord(self._uri, self._name)


def complete(value: float, name: str, **params: float | str) -> Ending:
    """A complete trial near the textbook configuration."""
    return Ending(TrialState.COMPLETE, value, {**architecture(name).textbook, **params})


def diverged(name: str, **params: float | str) -> Ending:
    """A trial that diverged."""
    ending = complete(0.0, name, **params)
    return replace(ending, state=TrialState.FAIL, value=None, reason="diverged: loss is nan at epoch 2")


def pruned(value: float, name: str, **params: float | str) -> Ending:
    """A pruned trial."""
    return replace(complete(value, name, **params), state=TrialState.PRUNED, reason="weaker than others")
