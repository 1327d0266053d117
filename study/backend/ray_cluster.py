"""The connection to a Ray cluster, and its capacity."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import UsageError, first_line

_SECONDS = 2.0


@contextmanager
def ray_cluster(address: str | None, connected: Callable[[], None]) -> Iterator[None]:
    """Be connected to Ray.

    Args:
        address: Of a running cluster; None takes RAY_ADDRESS, or starts one here that ends with this process.
        connected: Called once Ray is connected, such as to install signal handlers again, which Ray replaces.

    Raises:
        UsageError: If the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    import ray

    address = address or os.environ.get("RAY_ADDRESS") or "local"
    try:
        if address == "local":
            ray.init(
                address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
        else:
            code = [str(Path(__file__).parents[2] / package) for package in ("study", "models", "data_utils")]
            environment = {"py_modules": code, "env_vars": {"PYTHONUNBUFFERED": "1"}}
            ray.init(
                address=address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR
            )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        advice = (
            "a study starts on one of the cluster's nodes, with its token and its versions of Ray and Python"
        )
        raise UsageError(
            f"The Ray cluster {address} cannot be used: {first_line(error)} ({advice})."
        ) from error
    except SystemExit:  # Ray's own answer to SIGTERM while it starts
        raise KeyboardInterrupt from None
    connected()
    try:
        yield
    finally:
        _disconnect()


def _disconnect() -> None:
    """Leave Ray, with no garbage collection in between.

    An object reference that another thread's collector frees while Ray's worker goes away makes Ray end the process.
    """
    import ray

    gc.collect()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        gc.enable()


class Capacity:
    """How many trials a cluster can run at a time; nodes that join or are lost are noticed within seconds.

    Args:
        cpus: CPUs of one trial.
        gpus: GPUs of one trial; with a fraction, trials share a GPU.
    """

    def __init__(self, cpus: float, gpus: float) -> None:
        self._needs = {name: amount for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
        self._trials = 1
        self._counted = float("-inf")

    def __call__(self) -> int:
        """Number of trials; at least one, since a cluster that grows on demand needs a demand."""
        import ray

        if time.monotonic() - self._counted > _SECONDS:
            alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
            self._trials = max(1, sum(self._trials_on(resources) for resources in alive))
            self._counted = time.monotonic()
        return self._trials

    def _trials_on(self, resources: dict[str, float]) -> int:
        return min(int(resources.get(name, 0.0) / amount + 1e-6) for name, amount in self._needs.items())
