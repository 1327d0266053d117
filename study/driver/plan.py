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
from study.search.cells import cells_of
from study.settings.schema import SearchSettings, StudySettings, network_settings

_STEPS = 3
_DRAWN_IMAGES = 360


class _FakeBatch(NamedTuple):
    grey: torch.Tensor
    colour: torch.Tensor
    features: torch.Tensor


def seconds_per_image(settings: StudySettings, name: str) -> float:
    """Measured time per image of one architecture's training step on this machine."""
    device = choose_device(settings.model.device)
    side, count = settings.model.image_size, settings.model.batch_size
    learner = seeded_build(
        architecture(name), network_settings(settings.model), architecture(name).textbook, device, seed=0
    )
    batch = _FakeBatch(
        torch.zeros(count, 1, side, side, device=device),
        torch.zeros(count, 3, side, side, device=device),
        torch.zeros(count, 512, device=device),
    )
    learner.train_step(batch)
    started = time.perf_counter()
    for _ in range(_STEPS):
        losses = learner.train_step(batch)
    float(next(iter(losses.values())))
    return (time.perf_counter() - started) / (_STEPS * count)


def print_plan(settings: StudySettings, images: dict[str, int], console: Console) -> None:
    """Print cells, budgets and an upper bound of the time on this machine.

    Args:
        settings: The study.
        images: Number of images of each dataset that is a folder.
        console: Where to print.
    """
    table = Table(title=f"Plan of the study {settings.name}")
    for heading in ("cell", "replicates", "trials", "epochs", "finals", "waits for"):
        table.add_column(heading, justify="left" if heading in ("cell", "waits for") else "right")
    finals = settings.finals.configurations * settings.finals.seeds
    speed = {name: seconds_per_image(settings, name) for name in settings.architectures}
    seconds = 0.0
    replicates, controls = settings.replicates, False
    for cell in cells_of(settings):
        if cell.replicate > 1:
            continue
        numbers = (replicates, settings.budget.trials, cell.epochs, finals)
        table.add_row(cell.key, *map(str, numbers), cell.pretrained_by or "")
        shown = images.get(cell.dataset, _DRAWN_IMAGES)
        limit = settings.datasets[cell.dataset].train_limit
        trained = min(limit or shown, shown)
        runs = (settings.budget.trials + finals) * speed[cell.architecture]
        if cell.pretrained_by and settings.controls and finals:
            controls = True
            runs += finals * speed[architecture(cell.architecture).pretrained_by or cell.architecture]
        seconds += replicates * trained * cell.epochs * runs
    console.print(table)
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
    if controls:
        console.print(
            "Beside each final that starts from a trained network, its start is trained on with L1 alone as a control.",
            highlight=False,
        )
    if settings.verdict.until == "decided":
        console.print(
            f"Replicates are added, up to {settings.verdict.most_replicates} in all, until every pair of "
            "architectures is decided; the time below is that of the first ones.",
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
