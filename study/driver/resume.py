"""Going on with a study: what may differ from how it was started, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.study import get_all_study_names
from sqlalchemy import make_url

from study.errors import UsageError
from study.search import attributes as keys
from study.search.cells import Cell, Stage
from study.search.ledger import CellLedger, open_storage
from study.settings.schema import StudySettings
from study.settings.sources import load_settings, stored_settings
from study.settings.study_folder import StudyHome, existing_home

# Everything else decides what a trial achieves or which trials there are, and stays as the study was started.
_MAY_CHANGE = (
    "budget.trials",
    "budget.epochs",
    "budget.epochs_for",
    "budget.device_seconds",
    "finals.seeds",
    "resources",
    "tracking",
    "ledger",
    "storage",
)
_MAY_ONLY_GROW = ("budget.epochs", "budget.epochs_for")


def resumed(
    home: Path, name: str | None, given: StudySettings | None, flags: dict[str, Any]
) -> tuple[StudySettings, StudyHome]:
    """The settings to go on with: the stored ones with flags and environment laid over them.

    Args:
        home: Where studies lie.
        name: The study's name; None takes it from `given`.
        given: Settings that stand for those that were stored, and are compared with them.
        flags: Nested values that win.

    Raises:
        UsageError: If there is no such study, or a setting differs that may not.
    """
    if name is None and given is None:
        raise UsageError(f"--resume needs --name; {_studies(home)}.")
    study = existing_home(home, name or (given.name if given else ""))
    stored = stored_settings(study.settings_file)
    settings = given or load_settings(study.settings_file, flags)
    _check_changes(flat(stored.model_dump(mode="json")), flat(settings.model_dump(mode="json")))
    if settings.ledger != stored.ledger:
        _check_ledger(study.ledger_url(settings), settings)
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
        # A dataset's folder may have moved: its content is compared by fingerprint.
        moved = key.startswith("datasets.") and key.endswith(".root") and None not in (before, now)
        if not moved and not _may_change(key):
            problems.append(
                f"{key} is {_shown(now)}, but was {_shown(before)} when the study was started; leave it so, or start a "
                "study of another --name."
            )
        elif key.startswith(_MAY_ONLY_GROW) and before is not None and now is not None and now < before:
            problems.append(f"{key} is {now}, but trials were trained for {before}; it can only grow.")
    if problems:
        raise UsageError("\n".join(problems))


def _may_change(key: str) -> bool:
    return any(key == one or key.startswith(f"{one}.") for one in _MAY_CHANGE)


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def _check_ledger(url: str, settings: StudySettings) -> None:
    address = make_url(url)
    missing = address.drivername.startswith("sqlite") and not Path(address.database or "").is_file()
    known = [] if missing else get_all_study_names(open_storage(url))
    if not any(name.startswith(f"{settings.name}/") for name in known):
        raise UsageError(
            f"ledger is {url}, but that database does not hold the study {settings.name}; move it there before, or "
            "leave the address as it was."
        )


def check_content(
    ledgers: Mapping[tuple[str, Stage], CellLedger], cells: list[Cell], fingerprints: Mapping[str, str]
) -> None:
    """Refuse to mix results on different images: the ledger remembers what each cell was started with.

    Args:
        ledgers: By cell and stage.
        cells: The study's cells.
        fingerprints: Of the images' content, by dataset.

    Raises:
        UsageError: Naming the dataset.
    """
    for cell in cells:
        ledger = ledgers[cell.key, Stage.SEARCH]
        before = ledger.attributes.get(keys.FINGERPRINT)
        now = fingerprints[cell.dataset]
        if before is None:
            ledger.remember(keys.FINGERPRINT, now)
        elif before != now:
            raise UsageError(
                f"The images of {cell.dataset} are not those that the study was started with (fingerprint {now[:12]}, "
                f"then {before[:12]}); restore them, or start a study of another --name."
            )
