"""Events that the outbox has lost, made again from the ledger."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator

from data_utils.wording import counted
from study.search import attributes as keys
from study.search.cell_progress import charged_epochs
from study.search.cells import Cell, Stage
from study.search.ledger import StudyLedger
from study.search.trial_spec import End, LedgerTrial, TrialSpec, TrialState, spec_of_trial
from study.storage.paths import sample_path, trial_folder
from study.tracking.tracker import Tracker

Lost = tuple[TrialSpec, LedgerTrial, End]


def lost_trials(ledger: StudyLedger, recorded: Collection[str]) -> list[Lost]:
    """Trials that have ended in the ledger and not in the outbox, such as after it was deleted.

    Args:
        ledger: The study's ledger.
        recorded: The trials whose end the outbox holds.
    """
    ended = (one for cell in ledger.cells for one in _ended(cell, ledger))
    return [one for one in ended if one[0].key not in recorded]


def _ended(cell: Cell, ledger: StudyLedger) -> Iterator[Lost]:
    count, best = 0, math.inf
    for stage, part in ledger.parts(cell.key).items():
        for trial in part.trials():
            if not trial.state.ended or keys.SEED not in trial.attributes:
                continue
            if stage is Stage.SEARCH:
                count += 1
                best = min(best, trial.best) if trial.state is TrialState.COMPLETE else best
            end = End(
                trial.state,
                trial.attributes.get(keys.REASON, ""),
                trial.best if math.isfinite(trial.best) else None,
                charged_epochs(trial.epochs, trial.attributes.get(keys.INHERITED_EPOCHS, 0)),
                trial.attributes.get(keys.DEVICE_SECONDS, 0.0),
                trial.attributes.get(keys.TEST),
                ended=count,
                best=best if math.isfinite(best) else None,
            )
            yield spec_of_trial(cell, stage, trial), trial, end


def record_again(
    lost: Collection[Lost], objective: str, tracker: Tracker, say: Callable[[str], None]
) -> None:
    """Tell the tracker of trials again; whatever MLflow has of them already is not logged a second time.

    Args:
        lost: The trials.
        objective: What their values by epoch are.
        tracker: Has opened their cells.
        say: Told what is lost for good.
    """
    if not lost:
        return
    say(
        f"The outbox does not hold the results of {counted(len(lost), 'trial')}: recorded again from the ledger with "
        "parameters, objective, result and pictures, but with other metrics by epoch only where MLflow has them."
    )
    for spec, trial, end in lost:
        tracker.started(spec)
        if nodes := trial.attributes.get(keys.NODES):
            tracker.placed(spec, nodes)
        for epoch, value in sorted(trial.intermediate_values.items()):
            tracker.reported(spec, {"epoch": epoch, objective: value})
            tracker.pictured(spec, epoch, sample_path(trial_folder(spec.key), epoch))
        tracker.ended(spec, end)
