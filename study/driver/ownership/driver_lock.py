"""One driver per study in a ledger, from whatever folder or machine it is started.

PostgreSQL gives a lock to a session and takes it back when the session ends, so a dead driver holds none. Elsewhere a
row is leased: its holder prolongs it, and another driver takes it over once the holder is known to be dead or the lease
has run out. A driver that finds its lock gone writes nothing more.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy
from sqlalchemy import Column, Connection, Engine, Float, MetaData, String, Table, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from study.errors import StudyError, UsageError

_LEASE_SECONDS = 90.0
_RENEWAL_SECONDS = 15.0
_ROWS = Table(
    "colorization_study_drivers",
    MetaData(),
    Column("study", String(255), primary_key=True),
    Column("token", String(32), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("expires", Float(53), nullable=False),
)
_POSTGRESQL_HOLDER = text(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = :key"
)


class DriverLockLost(StudyError):
    """Another driver has taken the study over."""


@contextmanager
def sole_driver(url: str, name: str) -> Iterator[Callable[[], None]]:
    """Hold a study's lock in its ledger.

    Args:
        url: The ledger's database.
        name: The study's.

    Yields:
        Raises `DriverLockLost` where the lock is no longer held; to be called before everything that is written.

    Raises:
        UsageError: If another driver holds it; the message names its process and machine.
    """
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    hold = _session if engine.dialect.name == "postgresql" else _lease
    lost, ended = threading.Event(), threading.Event()

    def check() -> None:
        if lost.is_set():
            raise DriverLockLost(
                f"This driver has lost its lock on the study {name} in {url}; see whether another one runs it, and go "
                "on with --resume."
            )

    try:
        with hold(engine, name) as held:
            renewal = threading.Thread(target=_watch, args=(held, lost, ended), daemon=True)
            renewal.start()
            try:
                yield check
            finally:
                ended.set()
                renewal.join()
    finally:
        engine.dispose()


def _watch(held: Callable[[], bool], lost: threading.Event, ended: threading.Event) -> None:
    while not ended.wait(_RENEWAL_SECONDS):
        if not held():
            lost.set()
            return


def _busy(name: str, url: object, holder: str) -> UsageError:
    return UsageError(
        f"The study {name} in the ledger {url} is being run by {holder}; wait for it to end, or stop it."
    )


@contextmanager
def _session(engine: Engine, name: str) -> Iterator[Callable[[], bool]]:
    """PostgreSQL's lock of a session."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # A machine that vanished is noticed after a minute, not after the two hours of TCP's default.
        for option, value in (("idle", 30), ("interval", 10), ("count", 3)):
            connection.execute(text(f"SET tcp_keepalives_{option} = {value}"))
        connection.execute(
            text("SELECT set_config('application_name', :me, false)"), {"me": _words(_me())[:63]}
        )
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            holder = connection.scalar(_POSTGRESQL_HOLDER, {"key": key})
            raise _busy(name, engine.url, holder or "another driver")
        yield lambda: _answers(connection)


def _answers(connection: Connection) -> bool:
    try:
        return bool(connection.scalar(text("SELECT 1")))
    except SQLAlchemyError:
        return False


@contextmanager
def _lease(engine: Engine, name: str) -> Iterator[Callable[[], bool]]:
    """A row that says who drives the study, and until when."""
    token = uuid.uuid4().hex
    _ROWS.metadata.create_all(engine)
    until = time.time() + _LEASE_SECONDS
    mine = {"token": token, "holder": _me(), "expires": until}
    with engine.begin() as connection:
        row = connection.execute(_ROWS.select().where(_ROWS.c.study == name)).first()
    if row is not None and row.expires > time.time() and not _dead(row.holder):
        raise _busy(name, engine.url, _words(row.holder))
    try:
        with engine.begin() as connection:
            if row is None:
                connection.execute(_ROWS.insert().values(study=name, **mine))
                taken = True
            else:  # only if nobody else took it meanwhile
                same = (_ROWS.c.study == name) & (_ROWS.c.token == row.token)
                taken = connection.execute(_ROWS.update().where(same).values(**mine)).rowcount == 1
    except IntegrityError:
        taken = False
    if not taken:
        raise _busy(name, engine.url, "another driver that started at the same time")

    def held() -> bool:
        nonlocal until
        later = time.time() + _LEASE_SECONDS
        try:
            with engine.begin() as connection:
                prolong = _ROWS.update().where(_ROWS.c.token == token).values(expires=later)
                if connection.execute(prolong).rowcount != 1:
                    return False
        except SQLAlchemyError:  # busy or away: the lease lasts a while longer
            return time.time() < until
        until = later
        return True

    try:
        yield held
    finally:
        with suppress(SQLAlchemyError), engine.begin() as connection:  # else it runs out
            connection.execute(_ROWS.delete().where(_ROWS.c.token == token))


def _me() -> str:
    return f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"


def _words(holder: str) -> str:
    host, process, *_ = holder.split()
    return f"process {process} on {host}"


def _dead(holder: str) -> bool:
    """Whether a driver ran on this machine and does not any more; numbers of processes are used again."""
    host, process, started = holder.split()
    return host == socket.gethostname() and _started(int(process)) != started


def _started(process: int) -> str:
    """When a process of this machine began, as a text that no other one has; `gone` if there is none."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return "gone" if Path("/proc/self/stat").exists() else _answers_signals(process)
    return fields[19]


def _answers_signals(process: int) -> str:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return "alive"
