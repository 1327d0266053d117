"""Whose an experiment and its registered models are: a tag that carries the study's identity."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from study.errors import StudyError, first_line
from study.tracking.mlflow_client import mlflow_client, mlflow_errors
from study.tracking.names import IDENTITY_TAG, registered_name

_ANY_RUN = 3  # mlflow.entities.ViewType.ALL, without its import


def tracker_owners(uri: str, name: str, datasets: Iterable[str]) -> dict[str, str | None]:
    """What MLflow holds under the names that a study uses; nothing is created where there is no database.

    Args:
        uri: Tracking URI.
        name: The study's name.
        datasets: Names of its datasets.

    Returns:
        The identity that each of them carries (None: none), by what it is: `an experiment photos`.

    Raises:
        StudyError: If MLflow does not answer.
    """
    if not _is_store(uri):
        return {}
    with mlflow_errors(f"MLflow at {uri} does not answer"):
        client = mlflow_client(uri)
        found: dict[str, str | None] = {}
        experiment = client.get_experiment_by_name(name)
        # A study of this software's makes its experiment with the tag, so one that is empty was made by hand.
        if experiment and client.search_runs([experiment.experiment_id], "", _ANY_RUN, max_results=1):
            found[f"an experiment {name}"] = experiment.tags.get(IDENTITY_TAG)
        for dataset in datasets:
            model = registered_name(name, dataset)
            for one in client.search_registered_models(f"name = '{model}'"):
                found[f"a registered model {model}"] = one.tags.get(IDENTITY_TAG)
        return found


def experiment_number(uri: str, name: str) -> str | None:
    """The number of a study's experiment in MLflow; None if MLflow has none, or does not answer.

    Args:
        uri: Tracking URI.
        name: The study's name.
    """
    try:
        with mlflow_errors(f"MLflow at {uri} does not answer"):
            found = mlflow_client(uri).get_experiment_by_name(name) if _is_store(uri) else None
    except StudyError:
        return None
    return str(found.experiment_id) if found else None


def _is_store(uri: str) -> bool:
    """Whether there is anything to ask: a server, or a database with MLflow's tables."""
    if uri.startswith(("http://", "https://")):
        return True
    address = sqlalchemy.make_url(uri)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        return False
    engine = sqlalchemy.create_engine(uri)
    try:
        return sqlalchemy.inspect(engine).has_table("experiments")
    except SQLAlchemyError as error:
        raise StudyError(f"MLflow's database {uri} cannot be used: {first_line(error)}.") from error
    finally:
        engine.dispose()
