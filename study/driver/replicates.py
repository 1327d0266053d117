"""Replicates that are added until it is decided which architecture is best."""

from __future__ import annotations

from collections.abc import Callable

from data_utils.wording import counted
from study.search.attributes import DEVICE_SECONDS
from study.search.database import ledger_errors, open_storage
from study.search.ledger import StudyLedger
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, only_driver
from study.tracking.record import StudyRecord, open_record

Pairs = set[tuple[str, str]]
"""(dataset, architecture) each."""


def add_replicates(
    settings: StudySettings,
    home: StudyHome,
    in_contention: Callable[[StudyRecord], Pairs],
    say: Callable[[str], None],
) -> bool:
    """Give the architectures that are still in contention a replicate more, if the study is to go on until decided.

    Args:
        settings: A study of which nothing is left to do, and everything is in MLflow.
        home: Its folder.
        in_contention: Which of a study's architectures another replicate might decide about.
        say: Prints a sentence.

    Returns:
        Whether there is something to do again.

    Raises:
        UsageError: If the study is being run.
        StudyError: If ledger or MLflow cannot be used.
    """
    if settings.verdict.until != "decided":
        return False
    contested = in_contention(open_record(settings.name, home.root.parent))
    if not contested:
        say("Every pair of architectures is decided.")
        return False
    most, url = settings.verdict.most_replicates, home.ledger_url(settings)
    with only_driver(home.root), ledger_errors(url):
        ledger = StudyLedger(open_storage(url), settings)
        open_to_more = {pair for pair in contested if ledger.replicates[pair] < most}
        if not open_to_more:
            say(
                f"Not decided after {counted(most, 'replicate')}, the most that verdict.most_replicates allows."
            )
            return False
        spent, budget = _device_seconds(ledger), settings.verdict.device_seconds
        if budget is not None and spent >= budget:
            say(
                f"Not decided; {spent:.0f} of verdict.device_seconds {budget:g} are spent, so no replicate is added."
            )
            return False
        ledger.add_replicate(open_to_more)
    names = ", ".join("/".join(pair) for pair in sorted(open_to_more))
    say(f"Not decided yet; one more replicate for {names}.")
    return True


def _device_seconds(ledger: StudyLedger) -> float:
    """Charged to everything that has ended."""
    trials = (trial for part in ledger.all_parts for trial in part.trials())
    return sum(trial.attributes.get(DEVICE_SECONDS, 0.0) for trial in trials)
