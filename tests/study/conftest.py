"""Servers that several test files use."""

from tests.study.servers import mlflow_server, postgres, s3_server  # noqa: F401
