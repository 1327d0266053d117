"""Quick checks before a study starts: folders, weights, names and addresses. Nothing is written."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data_utils.errors import DataError
from data_utils.layouts import recognise
from data_utils.load_dataset import DRAWN
from models.errors import ModelError
from models.hardware import choose_device
from models.vgg_weights import describe_weights
from study.errors import UsageError, first_line
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome
from study.storage.storage import Storage
from study.training.features import feature_kinds

_SECONDS = 5.0


def check_inputs(settings: StudySettings) -> dict[str, int]:
    """Check folders, device and weights.

    Returns:
        Number of colour images of each dataset that is a folder; the images themselves are not read.

    Raises:
        UsageError: One sentence per thing that cannot be used.
    """
    counts: dict[str, int] = {}
    problems: list[str] = []
    for name, dataset in settings.datasets.items():
        try:
            if not dataset.root.startswith(DRAWN):
                counts[name] = len(recognise(dataset.root, skip_unpaired=settings.skip_bad_images).entries)
        except DataError as error:
            problems.append(str(error))
    try:
        choose_device(settings.model.device)
        if feature_kinds(settings):
            describe_weights(settings.model.vgg16)
    except ModelError as error:
        problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return counts


def check_addresses(settings: StudySettings, ray_address: str | None) -> None:
    """Check that every server that the study needs can be reached.

    Raises:
        UsageError: Naming the address.
    """
    if settings.tracking.uri and urlsplit(settings.tracking.uri).scheme in ("http", "https"):
        _check_server(settings.tracking.uri, "The MLflow server", "start it or correct tracking.uri")
    elif settings.tracking.uri:
        _check_database("tracking.uri", settings.tracking.uri)
    if settings.ledger:
        _check_database("ledger", settings.ledger)
    if settings.storage:
        Storage(settings.storage)
    cluster = ray_address or os.environ.get("RAY_ADDRESS") or "local"
    if cluster.startswith("ray://"):
        raise UsageError(
            f"A study cannot be driven through Ray Client ({cluster}); start it on a machine of the cluster with "
            "--ray-address HEAD:6379, or send it there with `ray job submit`."
        )
    if cluster not in ("auto", "local"):
        _check_server(f"//{cluster}", "The Ray cluster", "start it or correct --ray-address")


def _check_database(key: str, address: str) -> None:
    try:
        url = make_url(address)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        raise UsageError(
            f"{key} is {address}, which cannot be used ({first_line(error)}); give sqlite:////FOLDER/FILE or "
            "postgresql+psycopg://USER@HOST/DATABASE."
        ) from None
    if url.host:
        port = url.port or {"postgresql": 5432, "mysql": 3306}.get(url.get_backend_name(), 0)
        _check_server(f"//{url.host}:{port}", "The database server", f"start it or correct {key}")


def _check_server(address: str, who: str, what_to_do: str) -> None:
    parts = urlsplit(address)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        socket.create_connection((parts.hostname or "", port), timeout=_SECONDS).close()
    except (OSError, ValueError) as error:  # a port that is no number is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{who} {address.removeprefix('//')} does not answer ({reason}); {what_to_do}."
        ) from None


def check_name(home: Path, settings: StudySettings) -> StudyHome:
    """The folder of a new study.

    Raises:
        UsageError: If a study of that name exists.
    """
    study = StudyHome((home / settings.name).absolute())
    if study.settings_file.exists():
        raise UsageError(
            f"A study named {settings.name} exists in {home}; continue it with --resume, or choose another --name."
        )
    return study
