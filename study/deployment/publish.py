"""Ready-to-use models: one per cell in MLflow, and the winner of each dataset registered as its champion."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from study.comparison.selection import best_trial, champion_of
from study.deployment.mlflow_models import ModelRegistry
from study.deployment.model_card import model_card
from study.deployment.model_folder import write_model_folder
from study.errors import StudyError
from study.settings.identity import NOBODY
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.storage import Storage
from study.tracking.delivery import TrackingError
from study.tracking.mlflow_client import why
from study.tracking.record import StudyRecord

CARD = "README.md"


def publish_models(
    settings: StudySettings, home: StudyHome, say: Callable[[str], None] = lambda _sentence: None
) -> None:
    """Log the best model of every cell to MLflow and register each dataset's winner.

    Repeating it changes nothing. The champions' model folders are also written to the study's own folder.

    Args:
        settings: The study, whose results MLflow has.
        home: Its folder.
        say: Told of every new champion.

    Raises:
        TrackingError: The server is away or refuses; what is missing can be published later.
        StudyError: Weights are not in the study's storage.
    """
    identity = home.identity or NOBODY
    record = StudyRecord(home.tracking_uri(settings), settings.name, identity)
    storage = Storage(home.storage_uri(settings))
    try:
        registry = ModelRegistry(record, identity)
        for dataset, name in record.cells:
            trial = best_trial(record, dataset, name)
            if trial is not None:
                registry.log_model(trial, settings, storage)
        for dataset in settings.datasets:
            champion = champion_of(record, dataset)
            if champion is not None:
                card = model_card(record, champion)
                with _replaced(home.champion(dataset)) as folder:
                    write_model_folder(record, champion, settings, storage, folder)
                    (folder / CARD).write_text(card, encoding="utf-8")
                if registry.register(champion, card):
                    say(f"Champion of {dataset}: {champion.architecture}, in {home.champion(dataset)}")
    except StudyError:
        raise
    except Exception as error:  # MLflow lets errors of every layer through
        raise TrackingError(
            f"MLflow at {record.uri} did not take the models: {why(error)}; "
            f"deliver them with: python -m study.sync --name {settings.name} "
            f"--home {shlex.quote(str(home.root.parent))}"
        ) from error


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` once it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        fresh = Path(temporary) / folder.name
        yield fresh
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
