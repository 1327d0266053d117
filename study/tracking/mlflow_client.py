"""How MLflow is spoken to: its patience, its log levels and its errors, set here for every reader and writer."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.proxy import proxy_of
from study.errors import StudyError, first_line, masked
from study.tracking.moved import follow_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENVIRONMENT = {
    # By default a server that does not answer blocks for minutes; delivery has retries of its own.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # two lines for every trial
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def mlflow_client(uri: str) -> MlflowClient:
    """A client of a tracking server, or database, and of its model registry.

    Raises:
        MlflowException: If a database cannot be opened.
    """
    configure_mlflow()
    follow_folder(uri)
    _try_database(uri)
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)


def _try_database(uri: str) -> None:
    # MLflow itself tries for almost a minute, and lets every other client of the process wait meanwhile.
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
    from mlflow.store.db.db_types import DATABASE_ENGINES
    from sqlalchemy import create_engine, inspect, make_url, pool
    from sqlalchemy.exc import SQLAlchemyError

    kind = uri.partition(":")[0].partition("+")[0]
    if kind not in DATABASE_ENGINES or (kind == "sqlite" and not Path(make_url(uri).database or "").exists()):
        return
    try:
        inspect(create_engine(uri, poolclass=pool.NullPool)).get_table_names()
    except SQLAlchemyError as error:
        problem = f"the database {masked(uri)} cannot be opened: {first_line(error)}"
        raise MlflowException(problem, TEMPORARILY_UNAVAILABLE) from error


def configure_mlflow() -> None:
    """Set what MLflow reads from the environment, unless the user has, and let it log errors alone."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401  sets the levels of its loggers when it is imported

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def why(error: BaseException) -> str:
    """What made a call to MLflow fail: its first line, or the proxy that could not be reached."""
    from requests.exceptions import ProxyError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ProxyError):
            url = cause.request.url if cause.request else None
            proxy = proxy_of(str(url)) if url else None
            return masked(f"{proxy or 'the proxy between here and the server'} does not answer")
        cause = cause.__cause__ or cause.__context__
    return first_line(error)


@contextmanager
def mlflow_errors(what: str) -> Iterator[None]:
    """Explain errors of MLflow in one sentence that begins with `what`.

    Raises:
        StudyError: MLflow or its connection failed.
    """
    configure_mlflow()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        raise StudyError(f"{what}: {why(error)}.") from error


def dataset_input(content: Mapping[str, Any]) -> Any:
    """What MLflow's `Dataset` column shows of an image set; logging it again changes nothing."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        content["name"],
        content["digest"],
        source_type="images",
        source=json.dumps({"source": content["source"]}),
        profile=json.dumps(content["profile"]),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
