"""Addresses of a study's ledger, tracker and storage: made absolute, and checked against each other."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from study.errors import UsageError
from study.settings.schema import StudySettings

_VOLATILE = ("memory://", "local+memory://")


def with_absolute_addresses(settings: StudySettings) -> StudySettings:
    """The settings with addresses that mean the same in every folder: workers and resumed drivers run in others.

    Args:
        settings: A study's, as it was given.
    """
    tracking = settings.tracking.model_copy(update={"uri": _absolute_database(settings.tracking.uri)})
    storage = settings.storage
    if storage and "://" not in storage:
        storage = str(Path(storage).expanduser().absolute())
    contestants = {
        name: str(Path(folder).expanduser().absolute()) for name, folder in settings.contestants.items()
    }
    ledger = _absolute_database(settings.ledger)
    return settings.model_copy(
        update={"storage": storage, "ledger": ledger, "tracking": tracking, "contestants": contestants}
    )


def _absolute_database(address: str | None) -> str | None:
    prefix, file = "sqlite:///", (address or "").removeprefix("sqlite:///")
    if not address or not address.startswith(prefix) or not file or file.startswith(("/", ":", "file:")):
        return address
    return f"{prefix}{os.path.abspath(file)}"


def check_places(settings: StudySettings) -> None:
    """Refuse places that forget, and one database for both ledger and MLflow.

    Raises:
        UsageError: Naming the setting.
    """
    if settings.storage and settings.storage.startswith(_VOLATILE):
        raise UsageError(
            f"storage is {settings.storage}, which is lost with every process; give a folder or an object store."
        )
    for key, address in (("ledger", settings.ledger), ("tracking.uri", settings.tracking.uri)):
        url = _database(address)
        if url and url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            raise UsageError(
                f"{key} is {address}, which is lost with the process; give sqlite:////FOLDER/FILE."
            )
    ledger, tracker = _database(settings.ledger), _database(settings.tracking.uri)
    if ledger and tracker and _place(ledger) == _place(tracker):
        raise UsageError(
            f"ledger and tracking.uri are one database, {settings.ledger}, in which their tables would collide; give "
            "each a database of its own."
        )


def _database(address: str | None) -> URL | None:
    try:
        return make_url(address) if address and not address.startswith("http") else None
    except ArgumentError:
        return None


def _place(url: URL) -> tuple[str | int | None, ...]:
    backend = url.get_backend_name()
    port = url.port or {"postgresql": 5432, "mysql": 3306}.get(backend)
    file = os.path.realpath(url.database or "") if backend == "sqlite" else url.database
    return backend, url.host, port, file
