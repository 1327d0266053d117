"""Where everything of a study lies: `HOME/NAME/`."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from study.errors import UsageError
from study.settings.identity import Identity, read_identity
from study.settings.schema import StudySettings

_LOCK = "driver.lock"


@dataclass(frozen=True)
class StudyHome:
    """The folder of one study.

    Attributes:
        root: `HOME/NAME`, absolute.
    """

    root: Path

    @property
    def settings_file(self) -> Path:
        """The resolved configuration; its existence means that the study exists."""
        return self.root / "study.yaml"

    @property
    def identity(self) -> Identity | None:
        """The study's identity; None before it begins, and in the folder of a study from before there were any."""
        return read_identity(self.root)

    @property
    def outbox(self) -> Path:
        """Results on their way to MLflow."""
        return self.root / "outbox"

    @property
    def ray(self) -> Path:
        """Ray Tune's own files; nothing is read back from them."""
        return self.root / "ray"

    @property
    def report(self) -> Path:
        """The comparison report."""
        return self.root / "report.html"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts, unless a server keeps them."""
        return self.root / "artifacts"

    def champion(self, dataset: str) -> Path:
        """The model folder of a dataset's winner."""
        return self.root / "champions" / dataset

    def ledger_url(self, settings: StudySettings) -> str:
        """The ledger's database."""
        return settings.ledger or sqlite_url(self.root / "ledger.db")

    def tracking_uri(self, settings: StudySettings) -> str:
        """MLflow's database or server."""
        return settings.tracking.uri or sqlite_url(self.root / "mlflow.db")

    def storage_uri(self, settings: StudySettings) -> str:
        """Checkpoints, weights and pictures of trials; a study of another name never meets them."""
        return (
            f"{settings.storage.rstrip('/')}/{settings.name}"
            if settings.storage
            else str(self.root / "storage")
        )

    def write_settings(self, settings: StudySettings) -> None:
        """Keep the resolved configuration."""
        self.root.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        self.settings_file.write_text(text, encoding="utf-8")


def existing_home(home: Path, name: str) -> StudyHome:
    """The folder of a study that was started before.

    Raises:
        UsageError: If there is none; the message names those there are.
    """
    found = StudyHome(Path(os.path.abspath(home / name)))
    if found.settings_file.is_file():
        return found
    others = sorted(path.parent.name for path in home.glob("*/study.yaml"))
    known = f"the studies there are {', '.join(others)}" if others else "there is no study there"
    raise UsageError(f"There is no study {name} in {home}; {known}.")


def sqlite_url(path: os.PathLike[str]) -> str:
    """SQLAlchemy URL of an SQLite file.

    Raises:
        UsageError: If the path holds a character that means something else there, so that another file would be used.
    """
    text = os.fspath(path)
    if bad := sorted({"?", "%"} & set(text)):
        raise UsageError(
            f"The path {text} holds {' and '.join(bad)}, which database addresses cannot hold; choose another --home."
        )
    return f"sqlite:///{text}"


@contextmanager
def only_driver(folder: Path) -> Iterator[None]:
    """Hold the lock of a study's folder, which is made if it is not there.

    The operating system holds it for this process and gives it up with it, so a killed driver leaves no lock; the
    file that remains only says who held it last.

    Raises:
        UsageError: If another driver holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _LOCK
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UsageError(
                f"The study in {folder} is being run by {holder}; wait for it to end, or stop it."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def running_driver(folder: Path) -> str | None:
    """Who holds the lock of a study's folder, such as `process 7 on node1`; None if nobody does."""
    try:
        with (folder / _LOCK).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return file.read().strip() or "another process"
    except FileNotFoundError:
        pass
    return None
