"""The connection to a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from study.backend.leave_ray import leave_ray
from study.backend.local_ray import local_ray
from study.errors import UsageError, first_line


@contextmanager
def ray_cluster(
    address: str | None, connected: Callable[[], None], say: Callable[[str], None]
) -> Iterator[None]:
    """Be connected to Ray.

    Args:
        address: Of a running cluster; None takes RAY_ADDRESS, or starts one here that ends with this process.
        connected: Called once Ray is connected, such as to install signal handlers again, which Ray replaces.
        say: Prints a sentence.

    Raises:
        UsageError: If the cluster cannot be reached, or there is no place for Ray's files.
        StudyError: If Ray does not start on this machine.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    with ExitStack() as stack:
        try:
            stack.enter_context(local_ray(say) if address == "local" else _running(address, say))
        except SystemExit:  # Ray's own answer to SIGTERM while it starts
            raise KeyboardInterrupt from None
        connected()
        yield


@contextmanager
def _running(address: str, say: Callable[[str], None]) -> Iterator[None]:
    import ray

    say(f"Connecting to the Ray cluster {address} …")
    code = [str(Path(__file__).parents[2] / package) for package in ("study", "models", "data_utils")]
    environment = {"py_modules": code, "env_vars": {"PYTHONUNBUFFERED": "1"}}
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # of many kinds, plain Exception among them
        leave_ray()
        raise UsageError(
            f"The Ray cluster {address} cannot be used: {first_line(error)} (a study starts on one of the cluster's "
            "nodes, with its token and its versions of Ray and Python)."
        ) from error
    try:
        yield
    finally:
        leave_ray()
