"""One run of a study's driver: brings ledger, tracker, conductor and Ray Tune together."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from data_utils.wording import counted
from models.metrics.evaluation import save_evaluation
from study.backend.ray_cluster import ray_cluster
from study.backend.ray_tuner import train_trials
from study.cli.command import say
from study.cli.interruption import Interruption
from study.driver.closing_summary import runs_lines
from study.driver.environment import environment_tags, usage_here
from study.driver.live_table import Screen
from study.driver.ownership.claims import take_ownership
from study.driver.ownership.driver_lock import sole_driver
from study.driver.plan import Pace
from study.driver.resume import check_content, failures, retry_failed
from study.driver.retention import Retention
from study.driver.run_facts import shared_facts, shown_settings
from study.driver.starts.lost_events import lost_trials, record_again
from study.driver.starts.warm_start import source_study, warm_configurations
from study.search.conductor import Conductor
from study.search.database import best_configurations, ledger_errors, open_storage
from study.search.ledger import StudyLedger
from study.search.trial_spec import Parameters, TrialState
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, only_driver
from study.storage.paths import contestant_path, trivial_path
from study.storage.storage import Storage
from study.tracking.delivery import DeliveryThread
from study.tracking.mlflow_runs import connect_tracker
from study.tracking.names import STUDY_RUN
from study.tracking.outbox import Outbox
from study.tracking.tracker import Tracker
from study.training.contestants import contestants
from study.training.data import Prepared
from study.training.replicates import with_each_test_split
from study.training.trivial_baselines import trivial_document, trivial_evaluations

_PATIENCE_SECONDS = 120.0
_BRIEFLY_SECONDS = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a driver's run ended.

    Attributes:
        finished: Whether nothing is left to do.
        delivered: Whether MLflow was given everything.
        refused: How many results it refused for good.
        failed: How many trials and finals failed for another reason than their configuration.
    """

    finished: bool
    delivered: bool
    refused: int
    failed: int


def run_study(
    settings: StudySettings,
    home: StudyHome,
    prepared: Prepared,
    ray_address: str | None,
    interruption: Interruption,
    console: Console,
    *,
    pace: Pace | None = None,
    retry: bool = False,
) -> Outcome:
    """Run everything that the ledger says is unfinished.

    Args:
        settings: The study.
        home: Its folder.
        prepared: Its data.
        ray_address: A cluster's address; None for one on this machine.
        interruption: Handles signals; installed again once Ray has set handlers of its own.
        console: Where progress is shown.
        pace: What trials take on this machine, None if they run on others.
        retry: Try trials and finals that failed again.

    Raises:
        UsageError: If the study is already running, its images changed or Ray cannot be reached; nothing was changed.
        StudyError: If ledger or storage cannot be used.
    """
    url = home.ledger_url(settings)
    with only_driver(home.root), ledger_errors(url), sole_driver(url, settings.name) as check:
        ledger = StudyLedger(open_storage(url, check), settings)
        take_ownership(settings, home, ledger)
        check_content(ledger, {name: images.fingerprint for name, images in prepared.images.items()})
        home.write_settings(settings)
        if retry:
            say(console, f"Tried again: {counted(retry_failed(ledger), 'failed trial')}.")
        outbox = Outbox(home.outbox, settings.tracking.uri or "")
        tracker = Tracker(
            outbox, rotating_tests=settings.splits.test == "rotate", objective=settings.objective
        )
        screen = Screen(settings, ledger.cells, console, pace)
        storage = Storage(home.storage_uri(settings))
        retention = Retention(storage)
        warm = _warm(settings, ledger, home)
        if warm:
            screen.say(f"Searches begin with the best configurations of {settings.search.warm_start}.")
        conductor = Conductor(settings, ledger, [tracker, screen, retention], warm)
        connect = partial(connect_tracker, settings, home)
        delivery = DeliveryThread(
            outbox, connect, screen.say, lambda number: screen.say(runs_lines(settings, home, number))
        )
        try:
            lost = lost_trials(ledger, outbox.closed)
            if not conductor.finished or lost or _asks_more(settings):
                screen.say("Measuring what the networks cost and what trivial predictions reach …")
                entries = contestants(settings, prepared, _most(ledger), screen.say)
                _open_runs(tracker, settings, prepared, ledger, entries)
                by_path = {contestant_path(*key): quantities for key, quantities in entries.items()}
                _log_evaluations(tracker, storage, by_path)
                _log_trivial(tracker, storage, prepared, settings, ledger)
                record_again(lost, settings.objective, tracker, screen.say)
            if conductor.finished:
                screen.say("Nothing is left to do.")
            else:
                conductor.explain()
                _catch_up(screen, conductor)
                with ray_cluster(ray_address, interruption.install, screen.say), screen:
                    train_trials(settings, home, prepared, conductor, screen.say)
                retention.sweep()
            if conductor.finished:
                _look(tracker, ledger, conductor)
                _close_runs(tracker, ledger)
            delivered = delivery.finish(_PATIENCE_SECONDS)
        except BaseException:
            delivery.finish(_BRIEFLY_SECONDS)
            raise
        finally:
            outbox.close()
    return Outcome(conductor.finished, delivered, len(outbox.set_aside_events), len(failures(ledger)))


def _asks_more(settings: StudySettings) -> bool:
    """Whether there are settings that say something new of a study that is at its end."""
    return bool(settings.contestants) or settings.verdict.latency_ms is not None


def _warm(settings: StudySettings, ledger: StudyLedger, home: StudyHome) -> dict[str, list[Parameters]]:
    """What cells that are still to be opened begin with; a study that goes on needs the earlier one no more."""
    if settings.search.warm_start is None or not any(ledger.search(cell.key).empty for cell in ledger.cells):
        return {}
    earlier, chosen = source_study(home.root.parent, settings.search.warm_start)
    found = best_configurations(earlier.ledger_url(chosen), chosen)
    return warm_configurations(settings, found)


def _open_runs(
    tracker: Tracker,
    settings: StudySettings,
    prepared: Prepared,
    ledger: StudyLedger,
    entries: Collection[tuple[str, str]],
) -> None:
    facts = prepared.facts(settings, _most(ledger)) | {"usage": usage_here(settings)}
    for dataset, one in facts["datasets"].items():
        one["contestants"] = [name for other, name in entries if other == dataset]
    documents = {
        "study.json": json.dumps(shown_settings(settings), indent=2),
        "data.json": json.dumps(facts, indent=2),
    }
    tracker.open_study(documents, environment_tags(), shared_facts(settings, facts["datasets"]))
    for cell in ledger.cells:
        tracker.open_cell(cell)


def _log_trivial(
    tracker: Tracker, storage: Storage, prepared: Prepared, settings: StudySettings, ledger: StudyLedger
) -> None:
    evaluations = {
        name: {
            replicate: trivial_evaluations(one)
            for replicate, one in with_each_test_split(images, settings, _most(ledger)).items()
        }
        for name, images in prepared.images.items()
    }
    tracker.document("trivial.json", trivial_document(evaluations))
    by_path = {
        trivial_path(dataset, name, replicate): quantities
        for dataset, splits in evaluations.items()
        for replicate, rows in splits.items()
        for name, quantities in rows.items()
    }
    _log_evaluations(tracker, storage, by_path)


def _log_evaluations(
    tracker: Tracker, storage: Storage, by_path: Mapping[str, dict[str, np.ndarray]]
) -> None:
    with TemporaryDirectory() as folder:
        for path, quantities in by_path.items():
            file = Path(folder) / Path(path).name
            save_evaluation(file, quantities)
            storage.put_file(path, file)
            tracker.artifact(STUDY_RUN, path, path)


def _most(ledger: StudyLedger) -> int:
    return max(ledger.replicates.values())


def _look(tracker: Tracker, ledger: StudyLedger, conductor: Conductor) -> None:
    """Record, before anyone can look, that the test results are there to be compared."""
    replicates = max((one.cell.replicate for one in conductor.cells if one.finals_ended), default=0)
    if replicates:
        ledger.record_look(replicates)
        tracker.looked([look["replicates"] for look in ledger.looks])


def _close_runs(tracker: Tracker, ledger: StudyLedger) -> None:
    for cell in ledger.cells:
        complete = ledger.search(cell.key).trials(TrialState.COMPLETE)
        tracker.close(cell.key, "FINISHED" if complete else "FAILED")
    tracker.close(STUDY_RUN)


def _catch_up(screen: Screen, conductor: Conductor) -> None:
    for progress in conductor.cells:
        screen.catch_up(
            progress.cell.key,
            ended=progress.states.total(),
            pruned=progress.states[TrialState.PRUNED],
            failed=progress.states[TrialState.FAIL],
            best=progress.best,
            finals=progress.finals_ended,
            controls=progress.controls_ended,
        )
