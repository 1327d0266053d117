"""Resuming a study: which settings may differ from those it was started with, and what is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.errors import UsageError
from study.search import attributes as keys
from study.search.cell_ledger import CellLedger
from study.search.database import owners
from study.search.ledger import StudyLedger
from study.search.trial_spec import DIVERGED, LedgerTrial, TrialState, retried
from study.settings.schema import StudySettings
from study.settings.sources import changed_settings, stored_settings
from study.settings.study_folder import StudyHome, existing_home

# What decides about a trial that is tried again; everything else that the ledger keeps with it is how it went.
_KEPT = (
    keys.SEED,
    keys.GENERATOR_FROM,
    keys.CONFIGURATION,
    keys.EPOCHS,
    keys.CONTINUES,
    keys.INHERITED_EPOCHS,
    keys.CONTROLLED,
)
# Every other setting decides which trials there are or what they achieve, and keeps its first value.
_MAY_CHANGE = (
    "budget.trials",
    "budget.epochs",
    "budget.epochs_for",
    "budget.device_seconds",
    "replicates",
    "controls",
    "contestants",
    "verdict.until",
    "verdict.device_seconds",
    "verdict.latency_ms",
    "finals.seeds",
    "resources",
    "tracking",
    "ledger",
    "storage",
)
_MAY_ONLY_GROW = ("budget.epochs", "budget.epochs_for", "replicates")
# What a file need not say again.
_OWN = ("seed", "replicates", "controls")


def resumed(
    home: Path, name: str | None, given: StudySettings | None, flags: dict[str, Any]
) -> tuple[StudySettings, StudyHome]:
    """The settings to continue with: the stored ones, overridden by environment and flags.

    Args:
        home: The folder of all studies.
        name: The study's name; None takes it from `given`.
        given: Settings that replace the stored ones and are compared with them.
        flags: Nested values that override all others.

    Raises:
        UsageError: If there is no such study, or a setting differs that must not.
    """
    if name is None and given is None:
        raise UsageError(f"--resume needs --name; {_studies(home)}.")
    study = existing_home(home, name or (given.name if given else ""))
    stored = stored_settings(study.settings_file)
    if given is None:
        settings = changed_settings(study.settings_file, flags)
    else:
        kept = [field for field in _OWN if field not in given.model_fields_set]
        settings = given.model_copy(update={field: getattr(stored, field) for field in kept})
    settings = _same_epochs(settings, stored)
    _check_changes(flat(stored.model_dump(mode="json")), flat(settings.model_dump(mode="json")))
    _check_epochs(stored, settings)
    _check_schedule(stored, settings)
    if settings.ledger != stored.ledger:
        _check_ledger(study.ledger_url(settings), settings.name)
    return settings, study


def _same_epochs(settings: StudySettings, stored: StudySettings) -> StudySettings:
    """With the epochs that followed from `budget.images` when the study was started."""
    if settings.budget.images is None or settings.budget.images != stored.budget.images:
        return settings
    return settings.model_copy(
        update={
            "datasets": {
                name: one.model_copy(update={"epochs": one.epochs or stored.datasets[name].epochs})
                if name in stored.datasets
                else one
                for name, one in settings.datasets.items()
            }
        }
    )


def _check_epochs(stored: StudySettings, settings: StudySettings) -> None:
    """`budget.epochs_for` may name a cell that it did not name before."""
    for dataset in stored.datasets:
        for name in stored.architectures:
            before, now = stored.epochs_of(dataset, name), settings.epochs_of(dataset, name)
            if now < before:
                raise UsageError(
                    f"{dataset}/{name} would have {now} epochs, but the study was run with {before}; they can "
                    "only grow."
                )


def _check_schedule(stored: StudySettings, settings: StudySettings) -> None:
    """Trials are compared at equal fractions of their schedules, so all trials of a cell are equally long."""
    searched = any("schedule" in ranges for ranges in stored.search.space.values())
    if stored.training.schedule == "constant" and not searched:
        return
    for dataset in stored.datasets:
        for name in stored.architectures:
            before, now = stored.epochs_of(dataset, name), settings.epochs_of(dataset, name)
            if now != before:
                raise UsageError(
                    f"{dataset}/{name} would have {now} epochs, but its learning rate was scheduled for {before} "
                    "(training.schedule); leave the epochs so, or start a study of another --name."
                )


def _studies(home: Path) -> str:
    names = sorted(path.parent.name for path in home.glob("*/study.yaml"))
    return f"the studies in {home} are {', '.join(names)}" if names else f"there is no study in {home}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` → `{"a.b": 1}`; an empty mapping leaves nothing."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result


def _check_changes(stored: dict[str, Any], given: dict[str, Any]) -> None:
    problems = []
    for key in [*stored, *(key for key in given if key not in stored)]:
        before, now = stored.get(key), given.get(key)
        if before == now:
            continue
        # A dataset's folder may have moved: the images are compared by fingerprint.
        moved = key.startswith("datasets.") and key.endswith(".root") and None not in (before, now)
        if not moved and not _may_change(key):
            problems.append(
                f"{key} is {_shown(now)}, but was {_shown(before)} when the study was started; leave it so, or start a "
                "study of another --name."
            )
        elif key.startswith(_MAY_ONLY_GROW) and before is not None and now is not None and now < before:
            problems.append(f"{key} is {now}, but the study was run with {before}; it can only grow.")
    if problems:
        raise UsageError("\n".join(problems))


def _may_change(key: str) -> bool:
    return any(key == one or key.startswith(f"{one}.") for one in _MAY_CHANGE)


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def _check_ledger(url: str, name: str) -> None:
    if not owners(url, name):
        raise UsageError(
            f"ledger is {url}, but that database does not hold the study {name}; move it there before, or leave the "
            "address as it was."
        )


def check_content(ledger: StudyLedger, fingerprints: Mapping[str, str]) -> None:
    """Refuse to mix results on different images: the ledger keeps the fingerprint that each cell started with.

    Args:
        ledger: The study's ledger.
        fingerprints: Of the images, by dataset.

    Raises:
        UsageError: Naming the dataset.
    """
    for cell in ledger.cells:
        search = ledger.search(cell.key)
        before = search.attributes.get(keys.FINGERPRINT)
        now = fingerprints[cell.dataset]
        if before is None:
            search.remember(keys.FINGERPRINT, now)
        elif before != now:
            raise UsageError(
                f"The images of {cell.dataset} are not those that the study was started with (fingerprint {now[:12]}, "
                f"then {before[:12]}); restore them, or start a study of another --name."
            )


def failures(ledger: StudyLedger) -> list[tuple[CellLedger, LedgerTrial]]:
    """Failed trials and finals that were not tried again, with the part of the ledger that they belong to.

    A trial that diverged is no failure: its configuration would diverge again.
    """
    found = []
    for part in ledger.all_parts:
        trials = part.trials()
        again = retried(trials)
        for trial in trials:
            diverged = str(trial.attributes.get(keys.REASON, "")).startswith(DIVERGED)
            if trial.state is TrialState.FAIL and not diverged and trial.number not in again:
                found.append((part, trial))
    return found


def retry_failed(ledger: StudyLedger) -> int:
    """Queue every failed trial and final again, with its parameters and its seed; it then stands in the other's place.

    Returns:
        How many there are.
    """
    failed = failures(ledger)
    for part, trial in failed:
        kept = {name: trial.attributes[name] for name in _KEPT if name in trial.attributes}
        part.enqueue(trial.params, kept | {keys.RETRIES: trial.number})
    return len(failed)
