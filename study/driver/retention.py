"""Which files of a trial are still needed, and the removal of the others.

A checkpoint holds the optimizer's state beside the networks and is by far the largest thing that a trial keeps. A
running trial goes on from it, and a complete one of the search where the study is extended to more epochs. Pruned and
failed trials never go on, and neither do finals that are complete.
"""

from __future__ import annotations

from collections.abc import Sequence

from study.search.cells import Stage
from study.search.ledger import StudyLedger
from study.search.trial_spec import End, Report, TrialSpec, TrialState, trial_key
from study.storage.paths import CHECKPOINT, trial_folder
from study.storage.storage import Storage


def checkpoint_is_needed(stage: Stage, state: TrialState) -> bool:
    """Whether a trial at this stage and in this state may go on from its checkpoint."""
    return not state.ended or (stage is Stage.SEARCH and state is TrialState.COMPLETE)


def unneeded_checkpoints(ledger: StudyLedger, *, keep_complete: bool = True) -> list[str]:
    """Keys of the checkpoints that no trial will go on from.

    Args:
        ledger: The study's.
        keep_complete: Keep those that an extension of the study to more epochs needs.
    """
    found = []
    for cell in ledger.cells:
        for stage, part in ((Stage.SEARCH, ledger.search(cell.key)), (Stage.FINAL, ledger.finals(cell.key))):
            for trial in part.trials():
                needed = checkpoint_is_needed(stage, trial.state) and (keep_complete or not trial.state.ended)
                if not needed:
                    found.append(_key(trial_key(cell.key, stage, trial.number)))
    return found


def _key(trial: str) -> str:
    return f"{trial_folder(trial)}/{CHECKPOINT}"


class Retention:
    """Removes the checkpoint of a trial that has ended and will not go on; a listener of the conductor.

    It is told of an end before the ledger holds it. So the checkpoint goes with the next event, when a crash can no
    longer bring the trial back.

    Args:
        storage: The study's.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._due: list[str] = []

    def sweep(self) -> None:
        """Remove what is due.

        Raises:
            StorageError: If the storage cannot be written.
        """
        while self._due:
            self._storage.delete(self._due[-1])
            self._due.pop()

    def started(self, spec: TrialSpec) -> None:
        """The ledger holds what ended before."""
        self.sweep()

    def placed(self, spec: TrialSpec, nodes: Sequence[str]) -> None:
        """Likewise."""
        self.sweep()

    def reported(self, spec: TrialSpec, report: Report) -> None:
        """Likewise."""
        self.sweep()

    def pictured(self, spec: TrialSpec, epoch: int, key: str) -> None:
        """Likewise."""
        self.sweep()

    def ended(self, spec: TrialSpec, end: End) -> None:
        """Mark the trial's checkpoint, if it is no longer needed."""
        self.sweep()
        if not checkpoint_is_needed(spec.stage, end.state):
            self._due.append(_key(spec.key))

    def noted(self, sentence: str) -> None:
        """Nothing of a trial's."""
