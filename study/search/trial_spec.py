"""What is said between the conductor, the workers and the listeners: a trial to run, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from models.definition import Architecture
from models.metrics import OBJECTIVE
from study.search.cells import Stage
from study.settings.schema import cell_key

ENERGY = "energy_joules"
"""The report's energy of a trial's own epochs so far, where the device counts it."""

Parameters = dict[str, float | str]
Report = dict[str, float]


class TrialState(StrEnum):
    """The states of a trial, named as in Optuna."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"

    @property
    def ended(self) -> bool:
        """Whether this state is final."""
        return self not in (TrialState.WAITING, TrialState.RUNNING)


def trial_key(cell: str, stage: Stage, number: int) -> str:
    """The name of a trial everywhere: `dataset/architecture/number`, finals with `final-` before the number."""
    return f"{cell}/{'' if stage is Stage.SEARCH else 'final-'}{number}"


@dataclass(frozen=True)
class TrialSpec:
    """One trial to be run: all that a worker must know of it.

    Attributes:
        seed: Of initial weights and batches.
        epochs: When the trial is complete.
        generator_from: Number of the pretraining cell's trial whose best weights start the generator.
        continues: Number of the complete trial of the same cell that this one carries on with.
        inherited_epochs: Epochs that the continued trial had, and was charged for.
    """

    dataset: str
    architecture: str
    stage: Stage
    number: int
    params: Parameters
    seed: int
    epochs: int
    generator_from: int | None = None
    continues: int | None = None
    inherited_epochs: int = 0

    @property
    def cell(self) -> str:
        """Key of the trial's cell."""
        return cell_key(self.dataset, self.architecture)

    @property
    def key(self) -> str:
        """The trial's name, see `trial_key`."""
        return trial_key(self.cell, self.stage, self.number)


@dataclass(frozen=True)
class LedgerTrial:
    """A trial as the ledger holds it.

    Attributes:
        intermediate_values: The objective by epoch.
        attributes: What the study keeps with the trial, by the names of `study.search.attributes`.
    """

    number: int
    state: TrialState
    params: Parameters
    intermediate_values: Mapping[int, float]
    attributes: Mapping[str, Any]

    @property
    def epochs(self) -> int:
        """The last epoch that it reported, 0 if none."""
        return max(self.intermediate_values, default=0)

    @property
    def best(self) -> float:
        """Lowest objective that it reported, infinite if none; a complete trial's value in Optuna."""
        return min(self.intermediate_values.values(), default=math.inf)


@dataclass(frozen=True)
class End:
    """How a trial ended.

    Attributes:
        reason: Why it was pruned or failed; empty for a complete one.
        value: Lowest objective it reached, None if it never reported.
        epochs: Epochs it trained, without those of a trial that it continued.
        device_seconds: What they cost.
        test: A complete final's metrics on the test split.
        ended: How many search trials of the cell have ended now.
        best: Lowest objective of the cell's complete search trials, None without one.
    """

    state: TrialState
    reason: str
    value: float | None
    epochs: int
    device_seconds: float
    test: Report | None
    ended: int
    best: float | None


class Listener(Protocol):
    """Someone who is told what happens, before the ledger holds it (so that a crash repeats rather than omits)."""

    def started(self, spec: TrialSpec) -> None:
        """A trial was handed out, for the first time or again."""

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """A trial reports from a node other than before; `nodes` are all that it has been on, in order."""

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """A trial finished an epoch; after a restart, earlier epochs come again."""

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """A trial stored a picture of its predictions after an epoch, under a key of the study's storage."""

    def ended(self, spec: TrialSpec, end: End) -> None:
        """A trial ended."""

    def noted(self, sentence: str) -> None:
        """Something a reader of the study should know."""


def divergence(architecture: Architecture, report: Report) -> str:
    """Why a report shows that a trial diverged: a loss or the objective is not finite. Empty if it did not."""
    for name, value in report.items():
        if (architecture.is_loss(name) or name == OBJECTIVE) and not math.isfinite(value):
            return f"diverged: {name} is {value} at epoch {int(report['epoch'])}"
    return ""
