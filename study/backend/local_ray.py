"""A Ray of this process's own: it listens on loopback only, asks for a token, and keeps its files private."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.backend.leave_ray import leave_ray
from study.errors import StudyError, UsageError, first_line

_SOCKET_BYTES = 103  # of a socket's whole path, on every system (Linux allows 107)
_BELOW_FOLDER = len("/ray-XXXXXXXX/r/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store")
_LOOPBACK = "127.0.0.1"


@contextmanager
def local_ray(say: Callable[[str], None]) -> Iterator[None]:
    """Start Ray on this machine, and end it on leaving.

    Args:
        say: Prints a sentence; the start takes seconds.

    Raises:
        UsageError: If there is no place for Ray's files.
        StudyError: If Ray does not start.
    """
    with _private_folder() as folder, _private_environment():
        say("Starting Ray on this machine …")
        try:
            _start(folder, say)
            yield
        finally:
            leave_ray()


def _start(folder: Path, say: Callable[[str], None]) -> None:
    try:
        _init(folder)
    except Exception as error:  # a plain Exception where a node times out, and what its many parts raise
        say(f"Ray did not start ({first_line(error)}); one more try …")
        leave_ray()
        try:
            _init(folder)
        except Exception as again:
            raise StudyError(
                f"Ray does not start on this machine: {first_line(again)}; see that processors, memory and the disk of "
                f"{folder.parent.parent} are not used up by something else, and start again."
            ) from again


def _init(folder: Path) -> None:
    import ray

    with _loopback_allowed():
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address=_LOOPBACK,
            _temp_dir=str(folder),
        )


@contextmanager
def _loopback_allowed() -> Iterator[None]:
    """Ray replaces a loopback address by the machine's own, except where it supports no clusters."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _private_environment() -> Iterator[None]:
    """Token authentication with a fresh token, in the environment of this process and its children alone."""
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # as in `_loopback_allowed`, for Ray's other processes
        "RAY_USAGE_STATS_ENABLED": os.environ.get("RAY_USAGE_STATS_ENABLED", "0"),
    }
    before = {name: os.environ.pop(name, None) for name in environment}
    os.environ.update(environment)
    try:
        _read_environment()
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _read_environment()


def _read_environment() -> None:
    """Let Ray read mode and token again; it does so once by itself, which may have been for another cluster."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that Ray may open to everyone, inside one that only this user can enter."""
    variable, where = _temporary_folder()
    try:
        os.makedirs(where, exist_ok=True)
        private = Path(tempfile.mkdtemp(prefix="ray-", dir=where))
    except OSError as error:
        raise UsageError(
            f"Ray cannot keep its files in {where} ({error.strerror}); set {variable} to a folder that you can "
            "write to."
        ) from None
    try:
        yield private / "r"
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _temporary_folder() -> tuple[str, str]:
    """The variable that names it, and the folder, as Ray itself chooses it."""
    variable = "RAY_TMPDIR" if "RAY_TMPDIR" in os.environ or sys.platform != "linux" else "TMPDIR"
    where = os.path.abspath(os.environ.get(variable) or "/tmp")
    most = _SOCKET_BYTES - _BELOW_FOLDER
    if len(os.fsencode(where)) > most:
        raise UsageError(
            f"The temporary folder {where} is too long for Ray's sockets, whose paths the system limits; set "
            f"RAY_TMPDIR to a folder of at most {most} characters."
        )
    return variable, where
