"""Ray's part of a study: the connection to a cluster, and the Tune experiment that runs the trials."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from study.conductor import Conductor
from study.config import StudySettings
from study.errors import StudyError, UsageError
from study.home import StudyHome
from study.interruption import Interruption
from study.ledger import first_line


@contextmanager
def ray_cluster(address: str | None, interruption: Interruption) -> Iterator[None]:
    """Be connected to Ray.

    Args:
        address: Of a running cluster; None takes RAY_ADDRESS, or starts one here that ends with this process.
        interruption: Answers signals; Ray sets answers of its own.

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
            code = [str(Path(__file__).parents[1] / package) for package in ("study", "models", "data_utils")]
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
    interruption.install()
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


def run_trials(trainable: Any, settings: StudySettings, home: StudyHome, conductor: Conductor) -> None:
    """Run what the conductor hands out until it has nothing left; Ray is connected.

    Args:
        trainable: Takes an assignment as its configuration and reports as `study.trainable` does.
        settings: The study.
        home: Its folder.
        conductor: Its rules.

    Raises:
        StudyError: If the study cannot go on, as its storage or its ledger cannot be used.
    """
    # Tune's own logs would be a second record beside the ledger and MLflow, and its snapshots are never restored.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "3600"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    # How many trials wait is decided by the searcher; all nodes start their processes at once.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = "1000"
    import ray
    from ray import tune

    from study.room import Room
    from study.tune_adapters import LedgerScheduler, LedgerSearcher, trial_name

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    resources = settings.resources
    gpus = resources.gpus_per_trial
    if gpus is None:
        gpus = 1.0 if ray.cluster_resources().get("GPU") and settings.model.device != "cpu" else 0.0
    most = resources.max_concurrent_trials
    room = (lambda: most) if most else Room(resources.cpus_per_trial, gpus)
    searcher = LedgerSearcher(conductor, room)
    scheduler = LedgerScheduler(conductor)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": resources.cpus_per_trial, "gpu": gpus}),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=trial_name,
            trial_dirname_creator=trial_name,
        ),
        run_config=tune.RunConfig(
            name=settings.name,
            storage_path=str(home.ray),
            # Trials keep their own checkpoints, in the study's storage.
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=resources.max_failures),
            verbose=0,
        ),
    )
    try:
        tuner.fit()
    except tune.TuneError as error:
        # Tune turns an exception in its seams into a text.
        if cause := searcher.error or scheduler.error:
            raise cause from error
        raise StudyError(f"Ray Tune gave up: {str(error).strip().splitlines()[-1]}") from error
