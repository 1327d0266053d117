"""Failed trials tried again, once the cause is mended: a trial that retries another stands in its place."""

from __future__ import annotations

from collections.abc import Iterable

from study.search import attributes as keys
from study.search.ledger import CellLedger, StudyLedger
from study.search.trial_spec import DIVERGED, LedgerTrial, TrialState

# What decides about a trial; everything else that the ledger keeps with it is how it went.
_KEPT = (
    keys.SEED,
    keys.GENERATOR_FROM,
    keys.CONFIGURATION,
    keys.EPOCHS,
    keys.CONTINUES,
    keys.INHERITED_EPOCHS,
)


def retried(trials: Iterable[LedgerTrial]) -> set[int]:
    """Numbers of the trials in whose place others stand."""
    return {trial.attributes[keys.RETRIES] for trial in trials if keys.RETRIES in trial.attributes}


def failures(ledger: StudyLedger) -> list[tuple[CellLedger, LedgerTrial]]:
    """Failed trials and finals that were not tried again, with the part of the ledger that they belong to.

    A trial that diverged is no failure: its configuration would diverge again.
    """
    found = []
    for part in ledger.parts:
        trials = part.trials()
        again = retried(trials)
        for trial in trials:
            diverged = str(trial.attributes.get(keys.REASON, "")).startswith(DIVERGED)
            if trial.state is TrialState.FAIL and not diverged and trial.number not in again:
                found.append((part, trial))
    return found


def retry_failed(ledger: StudyLedger) -> int:
    """Queue every failed trial and final again, with its parameters and its seed.

    Returns:
        How many there are.
    """
    failed = failures(ledger)
    for part, trial in failed:
        kept = {name: trial.attributes[name] for name in _KEPT if name in trial.attributes}
        part.enqueue(trial.params, kept | {keys.RETRIES: trial.number})
    return len(failed)
