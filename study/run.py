"""One run of a study's driver: ledger, tracker and conductor brought together on Ray Tune."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optuna.trial import TrialState
from rich.console import Console

from study.cells import Cell, Stage, cells_of
from study.conductor import Conductor
from study.config import StudySettings
from study.delivery import DeliveryThread, MlflowRuns
from study.environment import environment_tags
from study.errors import StudyError, UsageError
from study.evaluation import save_evaluation
from study.home import StudyHome
from study.ledger import CellLedger, open_storage
from study.outbox import Outbox
from study.preparation import Prepared
from study.screen import Screen
from study.storage import Storage
from study.tracking import STUDY_RUN, Tracker
from study.trivial import trivial_document, trivial_evaluations, trivial_path

_PATIENCE_SECONDS = 120.0

Ledgers = dict[tuple[str, Stage], CellLedger]


@dataclass(frozen=True)
class Outcome:
    """How a driver's run ended.

    Attributes:
        finished: Whether nothing is left to do.
        delivered: Whether MLflow has everything.
    """

    finished: bool
    delivered: bool


def open_ledgers(settings: StudySettings, home: StudyHome, cells: Sequence[Cell]) -> Ledgers:
    """Every cell's part of the ledger, at both stages."""
    storage = open_storage(home.ledger_url(settings))
    return {
        (cell.key, stage): CellLedger(storage, settings.name, cell, stage, settings.search, settings.seed)
        for cell in cells
        for stage in Stage
    }


def run_study(
    settings: StudySettings, home: StudyHome, prepared: Prepared, ray_address: str | None, console: Console
) -> Outcome:
    """Run what the ledger says is unfinished.

    Args:
        settings: The study.
        home: Its folder, which exists.
        prepared: Its data.
        ray_address: A cluster's address; None for one on this machine.
        console: Where progress is shown.

    Raises:
        StudyError: If Ray cannot be reached or the ledger cannot be opened.
    """
    cells = cells_of(settings)
    ledgers = open_ledgers(settings, home, cells)
    outbox = Outbox(home.outbox)
    tracker = Tracker(outbox)
    screen = Screen(settings, cells, console)
    delivery = DeliveryThread(outbox, partial(connect_tracker, settings, home), screen.say)
    _open_runs(tracker, settings, prepared, cells)
    _log_trivial(tracker, Storage(home.storage_uri(settings)), prepared)
    conductor = Conductor(settings, cells, ledgers, [tracker, screen])
    _catch_up(screen, cells, ledgers)
    with _ray(ray_address), screen:
        _tune(settings, home, prepared, conductor)
    if conductor.finished:
        _close_runs(tracker, cells, ledgers)
    delivered = delivery.finish(_PATIENCE_SECONDS)
    outbox.close()
    return Outcome(conductor.finished, delivered)


def connect_tracker(settings: StudySettings, home: StudyHome) -> MlflowRuns:
    """A connection to the study's experiment in MLflow."""
    artifacts = None if settings.tracking.uri else home.artifacts.as_uri()
    storage = Storage(home.storage_uri(settings))
    return MlflowRuns(home.tracking_uri(settings), settings.name, artifacts, storage)


def _open_runs(tracker: Tracker, settings: StudySettings, prepared: Prepared, cells: Sequence[Cell]) -> None:
    documents = {
        "study.json": settings.model_dump_json(indent=2),
        "data.json": json.dumps(prepared.facts(settings), indent=2),
    }
    tracker.open_study(documents, environment_tags())
    for cell in cells:
        tracker.open_cell(cell)


def _log_trivial(tracker: Tracker, storage: Storage, prepared: Prepared) -> None:
    evaluations = {name: trivial_evaluations(images) for name, images in prepared.images.items()}
    tracker.document("trivial.json", trivial_document(evaluations))
    with TemporaryDirectory() as folder:
        for dataset, rows in evaluations.items():
            for name, quantities in rows.items():
                path = trivial_path(dataset, name)
                file = Path(folder) / Path(path).name
                save_evaluation(file, quantities)
                storage.put_file(path, file)
                tracker.artifact(STUDY_RUN, path, path)


def _close_runs(tracker: Tracker, cells: Sequence[Cell], ledgers: Ledgers) -> None:
    for cell in cells:
        found = ledgers[cell.key, Stage.SEARCH].trials(TrialState.COMPLETE)
        tracker.close(cell.key, "FINISHED" if found else "FAILED")
    tracker.close(STUDY_RUN)


def _catch_up(screen: Screen, cells: Sequence[Cell], ledgers: Ledgers) -> None:
    for cell in cells:
        trials = ledgers[cell.key, Stage.SEARCH].trials()
        states = [trial.state for trial in trials]
        values = [trial.values[0] for trial in trials if trial.state is TrialState.COMPLETE]
        screen.catch_up(
            cell.key,
            ended=sum(state.is_finished() for state in states),
            pruned=states.count(TrialState.PRUNED),
            failed=states.count(TrialState.FAIL),
            best=min(values, default=None),
            finals=len(ledgers[cell.key, Stage.FINAL].trials(TrialState.COMPLETE, TrialState.FAIL)),
        )


@contextmanager
def _ray(address: str | None) -> Iterator[None]:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    import ray

    address = address or os.environ.get("RAY_ADDRESS") or "local"
    try:
        if address == "local":
            ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        else:
            code = [str(Path(__file__).parents[1] / package) for package in ("study", "models", "data_utils")]
            environment = {"py_modules": code, "env_vars": {"PYTHONUNBUFFERED": "1"}}
            ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(f"The Ray cluster {address} cannot be used: {first}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _tune(settings: StudySettings, home: StudyHome, prepared: Prepared, conductor: Conductor) -> None:
    import ray
    from ray import tune

    from study.trainable import ColorizationTrial, Shared

    shared = Shared(
        settings.model_copy(update={"storage": home.storage_uri(settings)}),
        {name: ray.put(images) for name, images in prepared.images.items()},
        {name: ray.put(vectors) for name, vectors in prepared.vectors.items()},
    )
    tuner = study_tuner(tune.with_parameters(ColorizationTrial, shared=shared), settings, home, conductor)
    try:
        tuner.fit()
    except tune.TuneError as error:
        raise StudyError(f"Ray Tune gave up: {str(error).strip().splitlines()[-1]}") from error


def study_tuner(trainable: Any, settings: StudySettings, home: StudyHome, conductor: Conductor) -> Any:
    """Ray's Tuner that runs a study's trials; Ray is connected.

    Args:
        trainable: Takes an assignment as its configuration and reports as `study.trainable` does.
        settings: The study.
        home: Its folder.
        conductor: Its rules.
    """
    # Tune's own logs would be a second record beside the ledger and MLflow, and its snapshots are never restored.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "3600"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray
    from ray import tune

    from study.tune_adapters import LedgerScheduler, LedgerSearcher, trial_name

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    resources = settings.resources
    gpus = resources.gpus_per_trial
    if gpus is None:
        gpus = 1.0 if ray.cluster_resources().get("GPU") and settings.model.device != "cpu" else 0.0
    return tune.Tuner(
        tune.with_resources(trainable, {"cpu": resources.cpus_per_trial, "gpu": gpus}),
        tune_config=tune.TuneConfig(
            search_alg=LedgerSearcher(conductor, resources.max_concurrent_trials),
            scheduler=LedgerScheduler(conductor),
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
