"""Where everything of a study lies: `HOME/NAME/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from study.config import StudySettings
from study.errors import UsageError
from study.ledger import sqlite_url


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
    found = StudyHome((home / name).absolute())
    if found.settings_file.is_file():
        return found
    others = sorted(path.parent.name for path in home.glob("*/study.yaml"))
    known = f"the studies there are {', '.join(others)}" if others else "there is no study there"
    raise UsageError(f"There is no study {name} in {home}; {known}.")
