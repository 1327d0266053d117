"""What the conductor, the workers and the listeners exchange: a trial to run, its reports and its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from models.hyperparameters import Value
from models.metrics import OBJECTIVE
from study.search import attributes as keys
from study.search.cells import Cell, Stage
from study.settings.schema import cell_key

if TYPE_CHECKING:  # a table is read without torch
    from models.definition import Architecture

ENERGY = "energy_joules"
"""The report's energy of a trial's own epochs so far, where the device counts it."""

SYSTEM = "system/"
"""How the names of a report's values begin that tell of the machine, see `study.training.system_load`."""

DIVERGED = "diverged: "
"""How the reason of a diverged trial begins."""
COLLAPSED = "collapsed"
"""1 or 0 in the last report of a final or control: whether it collapsed, see `models.metrics.collapse`."""

Parameters = dict[str, Value]
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
    """The name of a trial everywhere: `CELL/7`, of a final `CELL/final-0`, of a control `CELL/control-0`."""
    return f"{cell}/{'' if stage is Stage.SEARCH else f'{stage}-'}{number}"


@dataclass(frozen=True)
class TrialSpec:
    """One trial to be run: everything that a worker needs to know about it.

    Attributes:
        seed: Seed of the initial weights and the batches.
        epochs: Epochs after which the trial is complete.
        generator_from: Number of the parent cell's trial whose best weights start the generator.
        continues: Number of the complete trial of the same cell that this one continues.
        inherited_epochs: Epochs that the continued trial had, and was charged for.
        replicate: That its cell belongs to.
        controls: Number of the final that this control stands beside.
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
    replicate: int = 1
    controls: int | None = None

    @property
    def cell(self) -> str:
        """Key of the trial's cell."""
        return cell_key(self.dataset, self.architecture, self.replicate)

    @property
    def network(self) -> Architecture:
        """What is built and trained: for a control, what trained its start."""
        from models.architectures import architecture

        own = architecture(self.architecture)
        if self.stage is Stage.CONTROL and own.pretrained_by:
            return architecture(own.pretrained_by)
        return own

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


def spec_of_trial(cell: Cell, stage: Stage, trial: LedgerTrial) -> TrialSpec:
    """A trial that was handed out, as it was handed out.

    Args:
        cell: Its cell.
        stage: Of the cell.
        trial: With its seed, as the ledger has it.
    """
    attributes = trial.attributes
    return TrialSpec(
        cell.dataset,
        cell.architecture,
        stage,
        trial.number,
        trial.params,
        attributes[keys.SEED],
        epochs=attributes.get(keys.EPOCHS, cell.epochs),
        generator_from=attributes.get(keys.GENERATOR_FROM),
        continues=attributes.get(keys.CONTINUES),
        inherited_epochs=attributes.get(keys.INHERITED_EPOCHS, 0),
        replicate=cell.replicate,
        controls=attributes.get(keys.CONTROLLED),
    )


def retried(trials: Iterable[LedgerTrial]) -> set[int]:
    """Numbers of the failed trials in whose place others stand, which try them again."""
    return {trial.attributes[keys.RETRIES] for trial in trials if keys.RETRIES in trial.attributes}


@dataclass(frozen=True)
class End:
    """How a trial ended.

    Attributes:
        reason: Why it was pruned or failed; empty if it is complete.
        value: Lowest objective it reached, None if it never reported.
        epochs: Epochs it trained, without those it inherited.
        device_seconds: Device time of these epochs.
        test: A complete final's metrics on the test split.
        ended: Number of the cell's search trials that have ended so far.
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
    """Is notified of every event before the ledger holds it, so that a crash repeats events and never omits one."""

    def started(self, spec: TrialSpec) -> None:
        """A trial was handed out, for the first time or again."""

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """A trial reports from another node than before; `nodes` are all nodes that it ran on, in order."""

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """A trial finished an epoch; after a restart, earlier epochs are reported again."""

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """A trial stored a picture of its predictions after an epoch, under a key of the study's storage."""

    def ended(self, spec: TrialSpec, end: End) -> None:
        """A trial ended."""

    def noted(self, sentence: str) -> None:
        """A sentence for the readers of the study."""


def divergence(architecture: Architecture, report: Report) -> str:
    """Why a report shows that a trial diverged: a loss or the objective is not finite. Empty if it did not."""
    for name, value in report.items():
        if (architecture.is_loss(name) or name == OBJECTIVE) and not math.isfinite(value):
            return f"{DIVERGED}{name} is {value} at epoch {int(report['epoch'])}"
    return ""
