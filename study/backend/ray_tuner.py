"""The Ray Tune experiment that runs a study's trials."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from models.plugins import packed
from study.errors import StudyError
from study.search.conductor import Conductor
from study.settings.identity import NOBODY
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.training.data import Prepared

if TYPE_CHECKING:
    from ray import tune

    from study.backend.ray_adapters import LedgerScheduler, LedgerSearcher
    from study.backend.ready_nodes import ReadyNodes

_TUNE = {
    # Tune's own logs would duplicate the ledger and MLflow, and its snapshots are never restored.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # The searcher limits the number of pending trials, and all nodes start their processes at once.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
}


def run_trials(
    trainable: Any,
    settings: StudySettings,
    home: StudyHome,
    conductor: Conductor,
    say: Callable[[str], None],
    nodes: ReadyNodes | None = None,
) -> None:
    """Run what the conductor hands out until it has nothing left; Ray is connected.

    Args:
        trainable: Takes configurations and reports as `study.backend.ray_trainable.ColorizationTrial` does.
        settings: The study.
        home: Its folder.
        conductor: Its rules.
        say: Prints a sentence.
        nodes: Those that may have trials; None for all.

    Raises:
        StudyError: If the study cannot continue because its storage or its ledger cannot be used.
    """
    os.environ.update(_TUNE)
    from ray import tune

    from study.backend.capacity import Capacity, living_nodes
    from study.backend.ray_adapters import GPUS, PLACEMENT, LedgerScheduler, LedgerSearcher
    from study.backend.watch import Watch

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    resources = settings.resources
    cpus, gpus = resources.cpus_per_trial, resources.gpus_per_trial
    gpus = 0.0 if gpus is None and settings.model.device == "cpu" else gpus
    capacity = Capacity(cpus, gpus, nodes or living_nodes)
    most = resources.max_concurrent_trials
    searcher = LedgerSearcher(
        conductor,
        (lambda: most) if most else capacity,
        lambda: capacity.request().get("GPU", 0.0),
        nodes.placement if nodes else dict,
    )
    watch = Watch(say, capacity.request, living_nodes, nodes.waiting_for if nodes else str)
    scheduler = LedgerScheduler(conductor, watch)

    def request(config: dict[str, Any]) -> tune.PlacementGroupFactory:
        # As the cluster was when the trial was handed out: GPUs may join while the study runs.
        return tune.PlacementGroupFactory([{"CPU": cpus, "GPU": config[GPUS]}], **config[PLACEMENT])

    tuner = tune.Tuner(
        tune.with_resources(trainable, request),
        tune_config=_tune_config(searcher, scheduler),
        run_config=_run_config(settings, home),
    )
    try:
        tuner.fit()
    except tune.TuneError as error:
        # Tune turns an exception of searcher or scheduler into a text.
        if cause := searcher.error or scheduler.error:
            raise cause from error
        raise StudyError(f"Ray Tune gave up: {str(error).strip().splitlines()[-1]}") from error


def _tune_config(searcher: LedgerSearcher, scheduler: LedgerScheduler) -> tune.TuneConfig:
    from ray import tune

    from study.backend.ray_adapters import trial_name

    return tune.TuneConfig(
        search_alg=searcher,
        scheduler=scheduler,
        num_samples=-1,
        reuse_actors=True,
        trial_name_creator=trial_name,
        trial_dirname_creator=trial_name,
    )


def _run_config(settings: StudySettings, home: StudyHome) -> tune.RunConfig:
    from ray import tune

    from study.backend.ray_adapters import Forgetful

    return tune.RunConfig(
        name=settings.name,
        storage_path=str(home.ray),
        # Trials keep their own checkpoints, in the study's storage.
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        failure_config=tune.FailureConfig(max_failures=settings.resources.max_failures),
        callbacks=[Forgetful()],
        verbose=0,
    )


def train_trials(
    settings: StudySettings,
    home: StudyHome,
    prepared: Prepared,
    conductor: Conductor,
    say: Callable[[str], None],
) -> None:
    """Run a study's trials on its prepared data, see `run_trials`."""
    import ray
    from ray import tune

    from models.vgg import vgg16_describer
    from study.backend.node_cache import bring_data
    from study.backend.ray_trainable import ColorizationTrial, Shared
    from study.backend.ready_nodes import ReadyNodes
    from study.training.features import feature_kinds

    storage, identity = home.storage_uri(settings), home.identity or NOBODY
    driver = ray.get_runtime_context().get_node_id()
    shared = Shared(
        settings.model_copy(update={"storage": storage}),
        identity,
        packed(settings.plugins),
        driver,
        {name: images.source for name, images in prepared.images.items() if images.source},
        prepared.features,
        {kind: ray.put(vgg16_describer(kind, settings.model.vgg16)) for kind in feature_kinds(settings)},
    )
    entries = [entry for kinds in shared.features.values() for entry in kinds.values() if entry is not None]
    sets, plugins = list(shared.images.values()), shared.plugins

    def bring() -> str:
        return bring_data(plugins, sets, entries, driver)

    nodes = ReadyNodes(storage, identity.key, driver, bring, say)
    run_trials(tune.with_parameters(ColorizationTrial, shared=shared), settings, home, conductor, say, nodes)
