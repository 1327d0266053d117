"""The database behind a ledger: opening it, asking what it holds, and saying so when it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from study.errors import StudyError, first_line
from study.search.attributes import IDENTITY
from study.search.cell_ledger import ledger_trial
from study.search.tables.reading import read_trials
from study.search.tables.writing import SoleWriterStorage
from study.search.trial_spec import LedgerTrial, Parameters
from study.settings.schema import StudySettings


class LedgerError(StudyError):
    """The ledger's database cannot be used."""


def open_storage(url: str, check: Callable[[], None] = lambda: None) -> BaseStorage:
    """The database behind a ledger, created if there is none.

    Args:
        url: SQLAlchemy URL; the password of a server comes from its own environment variable (`PGPASSWORD`).
        check: Called before trials are written, see `study.driver.ownership.driver_lock.sole_driver`.

    Raises:
        LedgerError: If the database cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        backend = RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except (SQLAlchemyError, ImportError, RuntimeError) as error:
        raise LedgerError(f"The ledger {url} cannot be opened: {first_line(error)}.") from error
    if url.startswith("sqlite"):
        sqlalchemy.event.listen(backend.engine, "connect", _write_ahead)
        backend.engine.dispose()
    return SoleWriterStorage(backend, check)


def _write_ahead(connection: Any, _record: Any) -> None:
    # In this mode a killed process loses nothing, and a commit does not wait for the disk.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def ledger_errors(url: str) -> Iterator[None]:
    """Turn the errors of a database that went away or is full into one sentence; nothing it holds is lost.

    Raises:
        LedgerError: Instead of Optuna's and SQLAlchemy's own errors.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ or error
        raise LedgerError(
            f"The ledger {url} cannot be used: {first_line(cause)}; fix that and continue with --resume."
        ) from error


def owners(url: str, name: str) -> dict[str, str | None]:
    """What a ledger holds of a study of this name; nothing is created where there is no ledger.

    Returns:
        The identity that each part of the study carries (None: none), by the part's name `NAME/dataset/architecture…`.

    Raises:
        LedgerError: If the database cannot be opened.
    """
    if not _is_ledger(url):
        return {}
    return {
        one.study_name: one.user_attrs.get(IDENTITY)
        for one in open_storage(url).get_all_studies()
        if one.study_name.startswith(f"{name}/")
    }


def _is_ledger(url: str) -> bool:
    address = sqlalchemy.make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        return False
    try:
        engine = sqlalchemy.create_engine(url)
        try:
            return sqlalchemy.inspect(engine).has_table("studies")
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise LedgerError(f"The ledger {url} cannot be opened: {first_line(error)}.") from error


@dataclass(frozen=True)
class Part:
    """The search, the finals or the controls of one cell, as they were when they were read.

    Attributes:
        attributes: What the ledger keeps with the part as a whole.
    """

    attributes: Mapping[str, Any]
    trials: list[LedgerTrial]


def read_parts(url: str, name: str) -> dict[str, Part]:
    """Everything that a ledger holds of a study, for a reader beside its driver; nothing is written.

    Returns:
        The parts by name: `dataset/architecture`, then `/replicate-2` …, then `/finals` or `/controls`. Empty where
        there is no ledger yet.

    Raises:
        LedgerError: If the database cannot be read.
    """
    if not _is_ledger(url):
        return {}
    with ledger_errors(url):
        storage = RDBStorage(url, skip_table_creation=True)
        try:
            return {
                one.study_name.removeprefix(f"{name}/"): Part(
                    one.user_attrs,
                    [ledger_trial(trial) for trial in read_trials(storage.engine, one._study_id)],
                )
                for one in storage.get_all_studies()
                if one.study_name.startswith(f"{name}/")
            }
        finally:
            storage.remove_session()
            storage.engine.dispose()


def best_configurations(url: str, settings: StudySettings) -> dict[str, list[tuple[str, Parameters]]]:
    """The best complete trial of each search of a study, by architecture, with the dataset that it was found on.

    Raises:
        LedgerError: If the database cannot be opened.
    """
    storage = open_storage(url)
    found: dict[str, list[tuple[str, Parameters]]] = {}
    for name in sorted(optuna.study.get_all_study_names(storage)):
        dataset, _, rest = name.removeprefix(f"{settings.name}/").partition("/")
        architecture, _, part = rest.partition("/")
        if not name.startswith(f"{settings.name}/") or part == "finals" or dataset not in settings.datasets:
            continue
        complete = optuna.load_study(study_name=name, storage=storage).get_trials(
            deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)
        )
        if complete:
            best = min(complete, key=lambda trial: (trial.value, trial.number))
            found.setdefault(architecture, []).append((dataset, dict(best.params)))
    return found
