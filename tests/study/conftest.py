"""Servers that several test files use."""

from tests.support.servers import mlflow_server, postgres, s3_server  # noqa: F401
