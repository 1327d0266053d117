"""The plan of a study: cells, trials, epochs, resources and an estimate of time."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from models.architectures import architecture, seeded_build
from models.hardware import choose_device
from models.learner import Features
from models.vgg import MAP_LAYERS
from study.search.cells import cells_of
from study.settings.recipe import network_settings
from study.settings.schema import SearchSettings, StudySettings

_STEPS = 3
_DRAWN_IMAGES = 360
_TRAIN_SHARE = 0.8


class _FakeBatch(NamedTuple):
    grey: torch.Tensor
    colour: torch.Tensor
    features: Features | None


def seconds_per_image(settings: StudySettings, name: str) -> float:
    """Measured time per image of one architecture's training step on this machine."""
    device = choose_device(settings.model.device)
    side, count = settings.model.image_size, settings.model.batch_size
    learner = seeded_build(
        architecture(name), network_settings(settings), architecture(name).textbook, device, seed=0
    )
    batch = _FakeBatch(
        torch.zeros(count, 1, side, side, device=device),
        torch.zeros(count, 3, side, side, device=device),
        _no_features(architecture(name).features, count, side, device),
    )
    learner.train_step(batch)
    started = time.perf_counter()
    for _ in range(_STEPS):
        losses = learner.train_step(batch)
    float(next(iter(losses.values())))
    return (time.perf_counter() - started) / (_STEPS * count)


def _train_images(settings: StudySettings, dataset: str, images: dict[str, int]) -> int:
    """About how many images of a dataset are trained on: of those not given a split, four fifths."""
    available = round(_TRAIN_SHARE * images.get(dataset, _DRAWN_IMAGES))
    return max(1, min(settings.datasets[dataset].train_limit or available, available))


def _no_features(kind: str | None, count: int, side: int, device: torch.device) -> Features | None:
    """Zeros in the place of what VGG16 says, in memory as they are stored."""
    if kind == "vector":
        return torch.zeros(count, 512, device=device)
    if kind is None:
        return None
    return tuple(
        torch.zeros(count, side >> level, side >> level, channels, device=device).movedim(-1, 1)
        for level, channels in enumerate(MAP_LAYERS.values(), start=1)
    )


def print_plan(settings: StudySettings, images: dict[str, int], console: Console) -> None:
    """Print cells, budgets and an upper bound of the time on this machine.

    Args:
        settings: The study.
        images: Number of images of each dataset that is a folder.
        console: Where to print.
    """
    trained = {name: _train_images(settings, name, images) for name in settings.datasets}
    settings = settings.with_epochs(trained)
    table = Table(title=f"Plan of the study {settings.name}")
    for heading in ("cell", "trials", "epochs", "finals", "waits for"):
        table.add_column(heading, justify="right" if heading in ("trials", "epochs", "finals") else "left")
    finals = settings.finals.configurations * settings.finals.seeds
    speed = {name: seconds_per_image(settings, name) for name in settings.architectures}
    seconds = 0.0
    for cell in cells_of(settings):
        table.add_row(
            cell.key, str(settings.budget.trials), str(cell.epochs), str(finals), cell.pretrained_by or ""
        )
        per_epoch = trained[cell.dataset] * speed[cell.architecture]
        seconds += per_epoch * cell.epochs * (settings.budget.trials + finals)
    console.print(table)
    if settings.budget.images is not None:
        console.print(
            f"A trial sees about {settings.budget.images} images; the epochs are those of four fifths of each folder "
            "and follow from the training images that are there when the study begins.",
            highlight=False,
        )
    resources = settings.resources
    concurrent = resources.max_concurrent_trials or max(
        1, int((os.cpu_count() or 1) / resources.cpus_per_trial)
    )
    console.print(
        f"A trial takes {resources.cpus_per_trial:g} CPU and "
        f"{'a GPU where there is one' if resources.gpus_per_trial is None else f'{resources.gpus_per_trial:g} GPU'}; "
        f"{settings.search.sampler} proposes, {_pruning(settings.search)}.",
        highlight=False,
    )
    console.print(
        f"Training takes at most about {seconds / 60 / concurrent:.0f} min with {concurrent} trials at a time on a "
        "machine like this one, if none is pruned; validation comes on top.",
        highlight=False,
    )


def _pruning(search: SearchSettings) -> str:
    if search.pruner == "none":
        return "no trial is pruned"
    after = "a quarter of its epochs" if search.warmup_epochs is None else f"epoch {search.warmup_epochs}"
    return f"{search.pruner} may prune a trial after {after}"
