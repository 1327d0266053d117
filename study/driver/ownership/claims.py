"""A study owns what it writes: ledger, storage, MLflow experiment and registered models carry its identity."""

from __future__ import annotations

from data_utils.wording import counted
from study.errors import StudyError, UsageError
from study.search.cells import cells_of
from study.search.database import owners
from study.search.ledger import StudyLedger
from study.settings.identity import Identity, new_identity, read_identity, write_identity
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.owner import holds_trials, set_storage_owner, storage_owner
from study.storage.storage import Storage
from study.tracking.owner import tracker_owners


def check_ownership(settings: StudySettings, home: StudyHome) -> None:
    """Refuse a study whose name another one uses in the ledger, the storage or MLflow. Nothing is written.

    Raises:
        UsageError: One sentence per place that another study has taken, or if the ledger of a study that has begun
            does not hold it.
        StudyError: If one of them cannot be asked.
    """
    begun = home.settings_file.is_file()
    # Before a study begins nothing carries its identity, unless it was stopped in the middle of beginning.
    identity = home.identity or Identity("", adopted=begun)
    url, name = home.ledger_url(settings), settings.name
    parts = owners(url, name)
    problems = []
    if begun:
        _check_ledger_holds(settings, url, parts)
    if not all(identity.owns(found) for found in parts.values()):
        problems.append(_taken(f"The ledger {url} holds a study {name} that belongs", "--ledger"))
    problems += _storage_problems(settings, home, identity)
    problems += _tracker_problems(settings, home, identity)
    if problems:
        raise UsageError("\n".join(problems))


def _taken(where: str, flag: str) -> str:
    return f"{where} to another study; choose another --name, or another {flag}."


def _check_ledger_holds(settings: StudySettings, url: str, parts: dict[str, str | None]) -> None:
    missing = [
        cell.key
        for cell in cells_of(settings)
        # Further replicates are opened in the ledger when the study goes on.
        if cell.replicate == 1 and not any(part.startswith(f"{settings.name}/{cell.key}") for part in parts)
    ]
    if missing:
        raise UsageError(
            f"The study {settings.name} has begun, but the ledger {url} does not hold {_listed(missing)}; restore the "
            "ledger from a copy, or start a study of another --name."
        )


def _listed(cells: list[str]) -> str:
    return ", ".join(cells[:3]) + (f" and {counted(len(cells) - 3, 'more cell')}" if len(cells) > 3 else "")


def _storage_problems(settings: StudySettings, home: StudyHome, identity: Identity) -> list[str]:
    storage = Storage(home.storage_uri(settings))
    found = storage_owner(storage)
    if found is None and not holds_trials(storage):
        return []
    if identity.owns(found):
        return []
    return [_taken(f"The storage {storage.uri} holds files that belong", "--storage")]


def _tracker_problems(settings: StudySettings, home: StudyHome, identity: Identity) -> list[str]:
    uri = home.tracking_uri(settings)
    try:
        owners_there = tracker_owners(uri, settings.name, settings.datasets)
    except StudyError:
        if not home.settings_file.is_file():
            raise
        return []  # a study that has begun goes on, its results wait, and delivery asks again
    return [
        _taken(f"MLflow at {uri} has {what} that belongs", "--tracking.uri")
        for what, found in owners_there.items()
        if not identity.owns(found)
    ]


def take_ownership(settings: StudySettings, home: StudyHome, ledger: StudyLedger) -> Identity:
    """Draw the study's identity, unless it has one, and mark folder, ledger and storage with it.

    MLflow is marked when the first results are delivered.

    Raises:
        UsageError: If another study has taken the ledger or the storage meanwhile.
        StorageError: If the storage cannot be written.
    """
    identity = read_identity(home.root) or new_identity(adopted=home.settings_file.is_file())
    write_identity(home.root, identity)
    ledger.claim(identity)
    storage = Storage(home.storage_uri(settings))
    found = storage_owner(storage)
    if found is None:
        set_storage_owner(storage, settings.name, identity.key)
    elif not identity.owns(found):
        raise UsageError(_taken(f"The storage {storage.uri} holds files that belong", "--storage"))
    return identity
