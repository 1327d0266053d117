"""Quick checks before a study starts: folders, weights, names and addresses. Nothing is written."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import torch
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data_utils.addresses import is_address, require_usable
from data_utils.errors import DataError
from data_utils.layouts import recognise
from data_utils.load_dataset import DRAWN
from data_utils.wording import counted
from models.architectures import architecture
from models.errors import ModelError
from models.hardware import choose_device
from models.proxy import proxy_of
from models.vgg_weights import describe_weights
from study.errors import UsageError, first_line, holds_secret
from study.settings.addresses import check_places
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, sqlite_url
from study.storage.storage import Storage
from study.training.features import feature_kinds

_SECONDS = 5.0


def check_inputs(settings: StudySettings) -> None:
    """Check folders, sizes, device and weights; the images themselves are not read.

    Raises:
        UsageError: One sentence per thing that cannot be used.
    """
    problems: list[str] = []
    for dataset in settings.datasets.values():
        try:
            if is_address(dataset.root):
                require_usable(dataset.root)
            elif not dataset.root.startswith(DRAWN):
                recognise(dataset.root, skip_unpaired=settings.skip_bad_images)
        except DataError as error:
            problems.append(str(error))
    for name in settings.architectures:
        side = settings.model.image_size // architecture(name).stride
        if side * side * settings.model.batch_size == 1:
            problems.append(
                f"model.image_size {settings.model.image_size} with model.batch_size 1 leaves {name} a single value "
                "per channel, too few for its batch normalisation; raise either."
            )
    for name, folder in settings.contestants.items():
        if not Path(folder).is_dir():
            problems.append(
                f"contestants.{name} is {folder}, which is no folder; give the one with its pictures."
            )
    try:
        choose_device(settings.model.device)
        if feature_kinds(settings):
            describe_weights(settings.model.vgg16)
    except ModelError as error:
        problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))


def check_resources(settings: StudySettings, ray_address: str | None) -> None:
    """Check that a trial can be placed: by its settings anywhere, and where Ray is started here, on this machine.

    Raises:
        UsageError: Naming the resource, what is asked and what there is.
    """
    cpus, gpus = settings.resources.cpus_per_trial, settings.resources.gpus_per_trial or 0.0
    if gpus > 1:
        _check_several(settings, gpus)
    if cluster_of(ray_address) != "local":
        return
    there = os.cpu_count() or 1
    if cpus > there:
        raise UsageError(
            f"resources.cpus_per_trial is {cpus:g}, but this machine has {counted(there, 'CPU')}; give {there} at "
            "most, or start the study on a cluster with --ray-address."
        )
    if gpus > (found := torch.cuda.device_count()):
        has = counted(found, "GPU") if found else "no GPU"
        raise UsageError(
            f"resources.gpus_per_trial is {gpus:g}, but this machine has {has} that torch can use; "
            f"{f'give {found} at most' if found else 'leave it out'}, or start the study on a cluster with "
            "--ray-address."
        )


def _check_several(settings: StudySettings, gpus: float) -> None:
    asked, model = f"resources.gpus_per_trial is {gpus:g}", settings.model
    if not gpus.is_integer():
        raise UsageError(
            f"{asked}; give a whole number for GPUs that train together, or a fraction to share one."
        )
    if model.device not in ("auto", "cuda"):
        raise UsageError(
            f"{asked}, but model.device is {model.device}; leave out the one, or give cuda for the other."
        )
    if model.compile:
        raise UsageError(f"{asked}, but model.compile works on one GPU alone; leave out either.")
    batches = {"model.batch_size is": model.batch_size} | {
        f"search.space.{name}.batch_size begins at": int(ranges["batch_size"][0])
        for name, ranges in settings.search.space.items()
        if "batch_size" in ranges
    }
    for key, images in batches.items():
        if images < gpus:
            raise UsageError(f"{asked}, but {key} {images}; give at least one image for each GPU.")


def cluster_of(ray_address: str | None) -> str:
    """The address of the cluster that a study runs on; `local` if it starts Ray on this machine."""
    return ray_address or os.environ.get("RAY_ADDRESS") or "local"


def check_addresses(settings: StudySettings, ray_address: str | None) -> None:
    """Check that every server that the study needs can be reached, and every place keeps what it is given.

    Raises:
        UsageError: Naming the address.
    """
    check_places(settings)
    if settings.tracking.uri and urlsplit(settings.tracking.uri).scheme in ("http", "https"):
        _check_tracker(settings.tracking.uri)
    elif settings.tracking.uri:
        _check_database("tracking.uri", settings.tracking.uri)
    if settings.ledger:
        _check_database("ledger", settings.ledger)
    if settings.storage:
        Storage(settings.storage)
        if settings.storage.startswith("memory:"):
            raise UsageError(
                f"storage is {settings.storage}, which ends with the process that writes it; give a folder or s3://BUCKET."
            )
    _check_cluster(cluster_of(ray_address), "--ray-address" if ray_address else "RAY_ADDRESS")


def _check_cluster(cluster: str, source: str) -> None:
    if holds_secret(cluster):
        raise UsageError(
            f"{source} holds a password, but Ray takes none in its address; give HEAD:6379, and the token as "
            "RAY_AUTH_TOKEN in the environment."
        )
    if cluster.startswith("ray://"):
        raise UsageError(
            f"A study cannot be driven through Ray Client ({source} {cluster}); start it on a machine of the cluster "
            "with --ray-address HEAD:6379, or send it there with `ray job submit`."
        )
    if "://" in cluster:
        raise UsageError(
            f"{source} is {cluster}, the address of a dashboard; a study needs that of the cluster itself, HEAD:6379, "
            "or is sent to the dashboard with `ray job submit`."
        )
    if cluster not in ("auto", "local"):
        remedy = "or unset it to use this machine alone" if source == "RAY_ADDRESS" else "or leave it out"
        _check_server(f"//{cluster}", "The Ray cluster", f"start it, correct {source} to HEAD:6379, {remedy}")


def _check_database(key: str, address: str) -> None:
    try:
        url = make_url(address)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        raise UsageError(
            f"{key} is {address}, which cannot be used ({first_line(error)}); give sqlite:////FOLDER/FILE or "
            "postgresql+psycopg://USER@HOST/DATABASE."
        ) from None
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise UsageError(f"{key} is {address}, a database in memory alone; give sqlite:////FOLDER/FILE.")
    if url.host:
        port = url.port or {"postgresql": 5432, "mysql": 3306}.get(url.get_backend_name(), 0)
        _check_server(f"//{url.host}:{port}", "The database server", f"start it or correct {key}")


def _check_tracker(uri: str) -> None:
    proxy = proxy_of(uri)
    if proxy is None:
        _check_server(uri, "The MLflow server", "start it or correct tracking.uri")
        return
    address = proxy.address if "://" in proxy.address else f"//{proxy.address}"
    remedy = f"correct or unset {proxy.variable}, or name the server in NO_PROXY"
    _check_server(
        address, f"The MLflow server {uri} is asked through a proxy ({proxy.variable}), and", remedy
    )


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
    study = StudyHome(Path(os.path.abspath(home / settings.name)))
    sqlite_url(study.root)
    if study.settings_file.exists():
        raise UsageError(
            f"A study named {settings.name} exists in {home}; continue it with --resume, or choose another --name."
        )
    return study
