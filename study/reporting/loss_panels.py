"""The training's curves: losses and validation objective of every architecture on every dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from data_utils.wording import counted
from models.architectures import Architecture
from study.comparison.table import objective_text
from study.reporting.figures import Line, curves
from study.reporting.interactive.run_pages import run_page
from study.reporting.interactive.trial_table import trial_label
from study.reporting.search_analysis import known_architecture, validation
from study.search.trial_spec import TrialState
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

_LOSSES = {
    "train/loss": "training loss",
    "train/generator_loss": "generator loss",
    "train/discriminator_loss": "discriminator loss",
}
_TRAIN = "train/"


@dataclass(frozen=True)
class LossPanel:
    """The curves of one cell.

    Attributes:
        whose: Which trainings are drawn, in words.
        runs: Addresses of these trainings' runs in MLflow, by what the page calls them.
        figures: By what they show: the losses, then the validation objective.
    """

    dataset: str
    architecture: str
    whose: str
    runs: dict[str, str]
    figures: dict[str, Markup]


def loss_panel(record: StudyRecord, dataset: str, architecture: str, colour: str) -> LossPanel | None:
    """The finals' curves, or the best search trial's if there are no finals; None without any."""
    trials, whose = _trials(record, dataset, architecture)
    if not trials:
        return None
    names = _loss_names(record.metric_names(trials[0]), known_architecture(architecture))
    figures = {}
    for metric, label in {
        **names,
        validation(record): f"validation {objective_text(record.objective)}",
    }.items():
        histories = [np.array(points) for trial in trials if (points := record.history(trial, metric))]
        lines = [Line("", points[:, 0], points[:, 1], colour) for points in histories]
        if lines:
            name = f"{dataset} {architecture} {label}"
            figures[label] = curves(name, lines, "epoch", label, counted=True)
    runs = {f"{one.role} {trial_label(one, trials)}": run_page(record.uri, one) for one in trials}
    return LossPanel(dataset, architecture, whose, runs, figures)


def _trials(record: StudyRecord, dataset: str, architecture: str) -> tuple[list[TrialRecord], str]:
    finals = record.finals(dataset, architecture)
    if finals:
        return finals, counted(len(finals), "final")
    search = [
        one
        for one in record.search(dataset, architecture)
        if one.state == TrialState.COMPLETE and one.best is not None
    ]
    best = min(search, key=lambda one: (one.best, one.number), default=None)
    return ([best], f"best trial of the search, number {best.number}") if best else ([], "")


def _loss_names(metrics: list[str], architecture: Architecture | None) -> dict[str, str]:
    """Metrics to draw with their labels: the known ones, else the losses that a plug-in declares or calls so."""
    known = {name: label for name, label in _LOSSES.items() if name in metrics}
    declared = architecture.losses if architecture else ()
    trained = [name.removeprefix(_TRAIN) for name in metrics if name.startswith(_TRAIN)]
    own = [name for name in trained if name in declared or name.endswith("loss")]
    return known or {f"{_TRAIN}{name}": name.replace("_", " ") for name in own}
