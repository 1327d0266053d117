"""Where a run's own page is, if the tracking server has an address that a browser can open."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from study.tracking.trial_record import TrialRecord

LOCAL_PAGES = "http://127.0.0.1:5000"
"""Where `mlflow ui` answers when it is started as the study's last lines say."""


def pages_address(tracking_uri: str) -> str:
    """The address of MLflow's pages, without user name and password.

    A store without a server of its own, such as a file of SQLite, has pages while `mlflow ui` runs beside it.
    """
    parts = urlsplit(tracking_uri)
    if parts.scheme not in ("http", "https"):
        return LOCAL_PAGES
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def run_page(tracking_uri: str, trial: TrialRecord) -> str:
    """The address of a trial's run."""
    return f"{pages_address(tracking_uri)}/#/experiments/{trial.experiment_id}/runs/{trial.run_id}"
