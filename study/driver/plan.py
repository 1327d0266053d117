"""The plan of a study: cells, trials, epochs, resources and an estimate of time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor

from data_utils.features import FeatureTensors
from models.architectures import architecture, seeded_build
from models.hardware import choose_device
from models.metrics import OBJECTIVE, image_quantities
from models.vgg import vgg16_describer
from study.cli.command import say
from study.search.cells import cells_of
from study.settings.schema import StudySettings
from study.settings.sections.recipe import network_settings
from study.settings.sections.search import SearchSettings

_STEPS = 3


class _FakeBatch(NamedTuple):
    grey: torch.Tensor
    colour: torch.Tensor
    features: FeatureTensors | None


class Cost(NamedTuple):
    """What one architecture costs on this machine.

    Attributes:
        train: Measured seconds per image of a training step.
        validate: The same of a validation.
        stored: Bytes that a trial keeps: its checkpoint, with the best epoch's generator, and that generator alone.
    """

    train: float
    validate: float
    stored: int


def measured_cost(settings: StudySettings, name: str) -> Cost:
    """Train and validate a few batches of nothing."""
    device = choose_device(settings.model.device)
    side, count = settings.model.image_size, settings.model.batch_size
    learner = seeded_build(
        architecture(name), network_settings(settings), architecture(name).textbook, device, seed=0
    )
    batch = _FakeBatch(
        torch.zeros(count, 1, side, side, device=device),
        torch.zeros(count, 3, side, side, device=device),
        _features(architecture(name).features, count, side, device),
    )

    def train() -> Tensor:
        return next(iter(learner.train_step(batch).values()))

    def validate() -> Tensor:
        prediction = learner.predict(batch.grey, batch.features)
        return image_quantities(prediction, batch.colour, quick=True)[OBJECTIVE].mean()

    train_seconds, validate_seconds = _seconds(train), _seconds(validate)
    stored = _bytes(learner.tensors()) + 2 * _bytes(learner.generator_tensors())
    return Cost(train_seconds / count, validate_seconds / count, stored)


def _bytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def _features(kind: str | None, count: int, side: int, device: torch.device) -> FeatureTensors | None:
    """What VGG16 gives for grey images; a study computes it once, before its trials."""
    if kind is None:
        return None
    describer = vgg16_describer(kind, "random").to(device)
    described: FeatureTensors = describer(torch.zeros(count, side, side, dtype=torch.uint8, device=device))
    return described


def _seconds(step: Callable[[], Tensor]) -> float:
    float(step())
    started = time.perf_counter()
    for _ in range(_STEPS):
        last = step()
    float(last)  # waits for the device
    return (time.perf_counter() - started) / _STEPS


class Pace(NamedTuple):
    """How long a study's trials take on this machine.

    Attributes:
        epochs: Seconds of an epoch, by (dataset, architecture), of a trial that has the machine to itself.
        concurrent: Trials at a time.
        parallel: How many of them are as fast together as one alone.
    """

    epochs: dict[tuple[str, str], float]
    concurrent: int
    parallel: int


def expected_pace(
    settings: StudySettings, facts: Mapping[str, Mapping[str, Any]], costs: Mapping[str, Cost] | None = None
) -> Pace:
    """Measure what an epoch of each cell takes.

    Args:
        settings: The study.
        facts: Of each dataset, see `study.training.data.Prepared.facts`.
        costs: If they were measured before.
    """
    resources, costs = settings.resources, costs or measured_costs(settings)
    epochs = {
        (dataset, name): images["train"] * cost.train
        + images["validation"] * cost.validate / settings.budget.epochs_per_report
        for dataset, images in facts.items()
        for name, cost in costs.items()
    }
    concurrent = resources.max_concurrent_trials or max(
        1, int((os.cpu_count() or 1) / resources.cpus_per_trial)
    )
    # Measured with all of this machine's threads, so that trials side by side are no faster together than in turn.
    parallel = 1 if choose_device(settings.model.device).type == "cpu" else concurrent
    return Pace(epochs, concurrent, parallel)


def measured_costs(settings: StudySettings) -> dict[str, Cost]:
    """What each architecture costs on this machine."""
    return {name: measured_cost(settings, name) for name in settings.architectures}


def print_plan(settings: StudySettings, facts: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """Print cells, budgets and an upper bound of the time on this machine.

    Args:
        settings: The study.
        facts: Of each dataset, see `study.training.data.Prepared.facts`.
        console: Where to print.
    """
    table = Table(title=f"Plan of the study {settings.name}", box=box.SIMPLE_HEAD, padding=0)
    for heading in ("cell", "replicates", "trials", "epochs", "finals", "waits for"):
        names = heading in ("cell", "waits for")
        table.add_column(heading, justify="left" if names else "right", overflow="fold")
    finals = settings.finals.configurations * settings.finals.seeds
    costs = measured_costs(settings)
    pace = expected_pace(settings, facts, costs)
    seconds, stored = 0.0, 0
    replicates, controls = settings.replicates, False
    for cell in cells_of(settings):
        if cell.replicate > 1:
            continue
        numbers = (replicates, settings.budget.trials, cell.epochs, finals)
        table.add_row(cell.key, *map(str, numbers), cell.pretrained_by or "")
        runs = {cell.architecture: settings.budget.trials + finals}
        if cell.pretrained_by and settings.controls and finals:
            controls = True
            runs[architecture(cell.architecture).pretrained_by or cell.architecture] = finals
        for name, count in runs.items():
            seconds += replicates * count * cell.epochs * pace.epochs[cell.dataset, name]
            stored += replicates * count * costs[name].stored
    console.print(table)
    if settings.budget.images is not None:
        say(
            console,
            f"A trial sees about {settings.budget.images} images; epochs follow from the number of training images.",
        )
    resources = settings.resources
    where = settings.storage or "the study's folder"
    say(
        console,
        f"A trial takes {resources.cpus_per_trial:g} CPU and "
        f"{'a GPU where there is one' if resources.gpus_per_trial is None else f'{resources.gpus_per_trial:g} GPU'}; "
        f"{settings.search.sampler} proposes, {_pruning(settings.search)}.",
    )
    if controls:
        say(
            console,
            "Beside each final that starts from a trained network, its start is trained on with L1 alone as a control.",
        )
    if settings.verdict.until == "decided":
        say(
            console,
            f"Replicates are added, up to {settings.verdict.most_replicates} in all, until every pair of "
            "architectures is decided; the time below is that of the first ones.",
        )
    say(
        console,
        f"Training and validation take at most about {seconds / 60 / pace.parallel:.0f} min on a machine like this "
        f"one, with {pace.concurrent} trials at a time and if none is pruned; checkpoints and weights take at most "
        f"about {stored / 1e9:.2g} GB of {where}.",
    )


def _pruning(search: SearchSettings) -> str:
    if search.pruner == "none":
        return "no trial is pruned"
    after = "a quarter of its epochs" if search.warmup_epochs is None else f"epoch {search.warmup_epochs}"
    return f"{search.pruner} may prune a trial after {after}"
