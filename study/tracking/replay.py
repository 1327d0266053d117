"""A study read without its tracking server: the journal is delivered to a database that lives for a moment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from study.settings.identity import NOBODY
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, sqlite_url
from study.storage.storage import Storage
from study.tracking.delivery import deliver_all
from study.tracking.mlflow_runs import MlflowRuns
from study.tracking.outbox import Outbox
from study.tracking.record import StudyRecord


@contextmanager
def replayed(settings: StudySettings, home: StudyHome) -> Iterator[StudyRecord]:
    """The study as MLflow would have it, from the journal and the storage alone.

    Args:
        settings: The study.
        home: Its folder.

    Raises:
        UsageError: If the journal does not hold the study.
        StudyError: If the storage cannot be read.
    """
    identity, storage = home.identity or NOBODY, Storage(home.storage_uri(settings))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        uri, artifacts = sqlite_url(folder / "mlflow.db"), (folder / "artifacts").as_uri()
        shutil.copytree(home.outbox, folder / "outbox")
        outbox = Outbox(folder / "outbox", uri)
        deliver_all(
            outbox,
            lambda: MlflowRuns(uri, settings.name, artifacts, storage, identity),
            lambda _sentence: None,
        )
        outbox.close()
        yield StudyRecord(uri, settings.name, identity)
