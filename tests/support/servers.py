"""Real servers on loopback, as processes of their own: PostgreSQL, an S3-compatible store, MLflow."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BUCKET = "studies"
PASSWORD = "not-for-the-logs"
_SECONDS = 400


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(ready: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + _SECONDS
    while not ready():
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{process.args} does not answer"
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen]:
    """A bucket named `studies` in a real S3-compatible server process; credentials are in the environment."""
    server = Path(sys.executable).with_name("moto_server")
    if not server.exists():
        pytest.skip("moto_server is not installed beside this Python")
    s3fs = pytest.importorskip("s3fs")
    port = free_port()
    with (tmp_path_factory.mktemp("moto") / "server.log").open("wb") as log:
        process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "tester")
        environment.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        wait_until(lambda: answers(port), process)
        s3fs.S3FileSystem(skip_instance_cache=True).mkdir(BUCKET)
        yield process
    process.kill()
    process.wait()


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found and (path := shutil.which("postgres")):
        found = [Path(path)]
    if not found:
        pytest.skip("PostgreSQL's server is not installed")
    return found[-1].parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """`user@host:port` of a real PostgreSQL server that asks for the password in PGPASSWORD."""
    programs = _postgres_programs()
    pytest.importorskip("psycopg")
    # The server refuses to run as root, and its user must reach its folder.
    user = "postgres" if os.geteuid() == 0 else None
    if user and user not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("PostgreSQL does not run as root, and there is no user named postgres")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    (folder / "password").write_text(PASSWORD)
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    port = free_port()
    data = folder / "data"
    initialise = ["initdb", "-D", data, "-U", "study", "--auth=scram-sha-256", f"--pwfile={folder}/password"]
    serve = ["postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
    subprocess.run(
        [programs / initialise[0], *initialise[1:]], user=user, check=True, cwd=folder, capture_output=True
    )
    with (folder.with_suffix(".log")).open("wb") as log:
        process = subprocess.Popen(
            [programs / serve[0], *serve[1:]], user=user, cwd=folder, stdout=log, stderr=log
        )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PGPASSWORD", PASSWORD)
        wait_until(lambda: answers(port), process)
        yield f"study@127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)  # without waiting for clients
    process.wait()
    shutil.rmtree(folder)
    folder.with_suffix(".log").unlink()


class MlflowServer:
    """`mlflow server` that can be killed and started again at the same address, on the same database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen | None = None
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1",
            "--port", str(self._port),
            "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db", "--artifacts-destination", self._folder,
        ]  # fmt: skip
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: answers(self._port), self._process)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path)
    server.start()
    yield server
    server.kill()
