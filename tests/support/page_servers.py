"""The programs that people browse a finished study with, as processes of their own on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from study.settings.sources import load_settings
from study.settings.study_folder import StudyHome
from tests.support.servers import answers, free_port, wait_until

# Neither jobs of language models nor reports to MLflow's makers have a place beside a study.
_QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def mlflow_ui(home: StudyHome) -> Iterator[str]:
    """`mlflow ui` on a study's database; its address."""
    database = home.tracking_uri(load_settings(home.settings_file, {}))
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--backend-store-uri", database]
    with _served(command) as address:
        yield address


@contextmanager
def optuna_dashboard(home: StudyHome) -> Iterator[str]:
    """`optuna-dashboard` on a study's ledger; its address."""
    program = str(Path(sys.executable).with_name("optuna-dashboard"))
    with _served([program, home.ledger_url(load_settings(home.settings_file, {}))]) as address:
        yield address


@contextmanager
def _served(command: list[str]) -> Iterator[str]:
    port = free_port()
    with TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **_QUIET},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_until(lambda: answers(port), process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
