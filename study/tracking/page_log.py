"""The report among the artifacts of the study's run in MLflow."""

from __future__ import annotations

from study.tracking.mlflow_client import mlflow_client, mlflow_errors
from study.tracking.names import REPORT, STUDY_RUN
from study.tracking.record import StudyRecord


def log_report(record: StudyRecord, page: str) -> None:
    """Log the comparison report to the study's run.

    Raises:
        StudyError: If MLflow does not take it.
    """
    run = record.run_id(STUDY_RUN)
    if run is None:
        return
    with mlflow_errors(f"MLflow at {record.uri} did not take the report"):
        mlflow_client(record.uri).log_text(run, page, REPORT)
