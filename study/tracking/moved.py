"""A study's folder may be moved or copied: its own MLflow database then follows.

MLflow writes the absolute address of every artifact into its database. Where the folder lies elsewhere than it did,
they are rewritten once, so that nothing reads from or writes to the old place.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy

from study.errors import StudyError

_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_FOLDER, _SETTINGS = "artifacts", "study.yaml"


def follow_folder(uri: str) -> None:
    """Point the artifacts of a study's own database to the folder in which it lies now; else nothing happens.

    Args:
        uri: Tracking URI.

    Raises:
        StudyError: If the database cannot be written.
    """
    database = _own_database(uri)
    if database is None:
        return
    here = (database.parent / _FOLDER).as_uri()
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            before = _elsewhere(connection, here)
            if before is None:
                return
            for table, column in _ADDRESSES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} LIKE ? || '/%' "
                    f"OR {column} = ?",
                    (here, len(before) + 1, before, before),
                )
    except sqlite3.Error as error:
        raise StudyError(
            f"The study was moved to {database.parent}, and its addresses in {database} cannot be set: {error}; make "
            "that file writable."
        ) from error
    old = Path(unquote(urlsplit(before).path)).parent
    sys.stderr.write(f"The study's folder was {old}; its MLflow database now points to {database.parent}.\n")


def _own_database(uri: str) -> Path | None:
    if not uri.startswith("sqlite"):
        return None
    database = Path(sqlalchemy.make_url(uri).database or "").absolute()
    return database if database.is_file() and (database.parent / _SETTINGS).is_file() else None


def _elsewhere(connection: sqlite3.Connection, here: str) -> str | None:
    """Address of the study's artifacts that the database holds, if it is another folder than the one at `here`."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return None
    rows = connection.execute(
        "SELECT artifact_location FROM experiments WHERE artifact_location LIKE 'file:%'"
    )
    for (location,) in rows.fetchall():
        path = Path(unquote(urlsplit(location).path))
        if path.name == _FOLDER and location != here and not _same(path, here):
            return str(location)
    return None


def _same(path: Path, here: str) -> bool:
    """Whether a folder is the one at `here` under another name, such as a link's."""
    now = Path(unquote(urlsplit(here).path))
    return path.exists() and now.exists() and path.samefile(now)
