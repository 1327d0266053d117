"""Resuming a study: which settings may differ from those it was started with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.errors import UsageError
from study.search import attributes as keys
from study.search.database import holds_study
from study.search.ledger import StudyLedger
from study.settings.schema import StudySettings
from study.settings.sources import changed_settings, stored_settings
from study.settings.study_folder import StudyHome, existing_home

# Every other setting decides which trials there are or what they achieve, and keeps its first value.
_MAY_CHANGE = (
    "budget.trials",
    "budget.epochs",
    "budget.epochs_for",
    "budget.device_seconds",
    "replicates",
    "controls",
    "verdict.until",
    "finals.seeds",
    "resources",
    "tracking",
    "ledger",
    "storage",
)
_MAY_ONLY_GROW = ("budget.epochs", "budget.epochs_for", "replicates")
# What a file need not say again.
_KEPT = ("seed", "replicates", "controls")


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
        kept = [field for field in _KEPT if field not in given.model_fields_set]
        settings = given.model_copy(update={field: getattr(stored, field) for field in kept})
    _check_changes(flat(stored.model_dump(mode="json")), flat(settings.model_dump(mode="json")))
    if settings.ledger != stored.ledger:
        _check_ledger(study.ledger_url(settings), settings.name)
    return settings, study


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
    if not holds_study(url, name):
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
