"""A client that says at once what is wrong with its database."""

from __future__ import annotations

import pytest
from mlflow.exceptions import MlflowException

from study.settings.study_folder import sqlite_url
from study.tracking.mlflow_client import mlflow_client


def test_a_folder_in_place_of_a_database_is_named(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(
        MlflowException, match=r"the database sqlite:.*mlflow\.db cannot be opened: .*unable to open"
    ):
        mlflow_client(sqlite_url(tmp_path / "mlflow.db"))


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(MlflowException, match="file is not a database"):
        mlflow_client(sqlite_url(tmp_path / "mlflow.db"))


def test_a_database_is_made_where_there_is_none(tmp_path):
    mlflow_client(sqlite_url(tmp_path / "new" / "mlflow.db"))
    assert (tmp_path / "new" / "mlflow.db").is_file()
