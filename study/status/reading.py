"""How far a study is, from its ledger and its folder alone; nothing is written, and no driver is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from study.errors import masked
from study.search.attributes import DEVICE_SECONDS, INHERITED_EPOCHS, REPLICATES
from study.search.cell_progress import charged_epochs
from study.search.cells import Cell, Stage, cells_of
from study.search.database import Part, read_parts
from study.search.trial_spec import LedgerTrial, TrialState, retried, trial_key
from study.settings.schema import StudySettings
from study.settings.sources import stored_settings
from study.settings.study_folder import StudyHome, running_driver


class StudyState(StrEnum):
    """Whether a study goes on."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True)
class StageStatus:
    """The trials of one cell at one stage.

    Attributes:
        wanted: How many the settings ask for, those that have ended included.
        ended: Number of trials by the state that they ended in; a failed one that was tried again is not counted.
        running: Epochs that each running trial has reported, by its name.
        epochs: Epochs of the trials that ended, without those they inherited.
        device_seconds: What these took.
        best: Lowest objective of the complete trials, infinite if there is none.
    """

    wanted: int
    ended: Mapping[TrialState, int]
    running: Mapping[str, int]
    epochs: int
    device_seconds: float
    best: float

    @property
    def count(self) -> int:
        """Number of trials that have ended."""
        return sum(self.ended.values())

    def epochs_left(self, full: int) -> int:
        """Epochs until everything is done, if no trial is pruned.

        Args:
            full: Epochs of a whole trial.
        """
        return max(0, (self.wanted - self.count) * full - sum(self.running.values()))


@dataclass(frozen=True)
class CellStatus:
    """One cell: an architecture on a dataset in one replicate."""

    cell: Cell
    stages: Mapping[Stage, StageStatus]

    @property
    def epochs_left(self) -> int:
        """Of all stages, if no trial is pruned."""
        return sum(one.epochs_left(self.cell.epochs) for one in self.stages.values())

    @property
    def seconds_per_epoch(self) -> float | None:
        """Mean over the trials that ended; None before the first."""
        epochs = sum(one.epochs for one in self.stages.values())
        return sum(one.device_seconds for one in self.stages.values()) / epochs if epochs else None


@dataclass(frozen=True)
class StudyStatus:
    """One study as it is now.

    Attributes:
        driver: The process that runs it, empty if none does.
        bytes: What its folder takes.
        addresses: Of ledger, MLflow and storage.
    """

    settings: StudySettings
    state: StudyState
    driver: str
    cells: Sequence[CellStatus]
    bytes: int
    addresses: Mapping[str, str]

    @property
    def minutes_left(self) -> float | None:
        """An upper bound, if as many trials run as now and none is pruned; None before a trial has ended."""
        measured = [one.seconds_per_epoch for one in self.cells if one.seconds_per_epoch is not None]
        if not measured:
            return None
        usual = sum(measured) / len(measured)
        seconds = sum(one.epochs_left * (one.seconds_per_epoch or usual) for one in self.cells)
        running = sum(len(stage.running) for one in self.cells for stage in one.stages.values())
        return seconds / max(1, running) / 60


def read_status(home: StudyHome) -> StudyStatus:
    """Read a study's ledger and folder.

    Raises:
        UsageError: If the settings cannot be read.
        LedgerError: If the ledger cannot be read.
    """
    settings = stored_settings(home.settings_file)
    parts = read_parts(home.ledger_url(settings), settings.name)
    firsts = {cell.pair: parts.get(cell.key) for cell in cells_of(settings) if cell.replicate == 1}
    added = {pair: part.attributes.get(REPLICATES, 1) for pair, part in firsts.items() if part}
    cells = [_cell(settings, cell, parts) for cell in cells_of(settings, added)]
    driver = running_driver(home.root) or ""
    done = all(one.count >= one.wanted for cell in cells for one in cell.stages.values())
    state = StudyState.RUNNING if driver else StudyState.FINISHED if done else StudyState.STOPPED
    addresses = {
        "ledger": masked(home.ledger_url(settings)),
        "MLflow": masked(home.tracking_uri(settings)),
        "storage": masked(home.storage_uri(settings)),
    }
    return StudyStatus(settings, state, driver, cells, _size(home.root), addresses)


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # removed since
            size += path.lstat().st_size
    return size


def _cell(settings: StudySettings, cell: Cell, parts: Mapping[str, Part]) -> CellStatus:
    finals = settings.finals.configurations * settings.finals.seeds
    wanted = {Stage.SEARCH: settings.budget.trials, Stage.FINAL: finals}
    if settings.controls and cell.pretrained_by:
        wanted[Stage.CONTROL] = finals
    names = {stage: cell.key if stage is Stage.SEARCH else f"{cell.key}/{stage}s" for stage in wanted}
    return CellStatus(
        cell,
        {
            stage: _stage(cell, stage, parts[names[stage]].trials if names[stage] in parts else [], number)
            for stage, number in wanted.items()
        },
    )


def _stage(cell: Cell, stage: Stage, trials: list[LedgerTrial], wanted: int) -> StageStatus:
    again = retried(trials)
    over = [trial for trial in trials if trial.state.ended]
    counted = [trial.state for trial in over if trial.number not in again]
    return StageStatus(
        max(wanted, len(counted)),  # continuations are additional trials
        {state: counted.count(state) for state in TrialState if state.ended},
        {
            trial_key(cell.key, stage, trial.number): trial.epochs
            for trial in trials
            if trial.state is TrialState.RUNNING
        },
        sum(charged_epochs(trial.epochs, trial.attributes.get(INHERITED_EPOCHS, 0)) for trial in over),
        sum(trial.attributes.get(DEVICE_SECONDS, 0.0) for trial in over),
        min((trial.best for trial in over if trial.state is TrialState.COMPLETE), default=math.inf),
    )
