"""The Ray that a study starts for itself: nobody else comes in, and it starts or says why not."""

import http.client
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from study.backend import local_ray as module
from study.backend.local_ray import local_ray
from study.errors import StudyError, UsageError

HOLD = """
import json, os, sys
from study.backend.ray_cluster import ray_cluster
with ray_cluster(None, lambda: None, lambda _: None):
    import ray
    ray.get(ray.remote(lambda: 1).remote())
    print(json.dumps({"address": ray.get_runtime_context().gcs_address}), flush=True)
    sys.stdin.readline()
print(os.environ.get("RAY_AUTH_TOKEN"))
"""
_PATIENCE = 60  # seconds
STRANGER = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False)
print("it ran", ray.get(ray.remote(lambda: 1).remote()))
"""


@pytest.fixture(scope="module")
def running():
    """A process with a Ray of its own, in a short temporary folder and an empty home."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        environment = {**os.environ, "RAY_TMPDIR": folder, "HOME": folder}
        environment.pop("RAY_ADDRESS", None)
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        address = json.loads(process.stdout.readline())["address"]
        yield process.pid, address, Path(folder)
        last, _ = process.communicate("\n", timeout=120)
        assert last == "None\n"  # the token has left the environment
        assert [path.name for path in Path(folder).iterdir() if path.name.startswith("ray-")] == []


def listening(pid):
    """(process, port, address) of every listening socket of a process and those below it."""
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield process.name(), connection.laddr.port, connection.laddr.ip


def test_every_socket_is_on_loopback(running):
    pid, _, _ = running
    sockets = list(listening(pid))
    assert sockets
    assert {ip for _, _, ip in sockets} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, sockets


def test_no_port_answers_without_the_token(running):
    grpc = pytest.importorskip("grpc")
    unserved = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED)  # no gRPC, or not this service
    asking = set()
    for name, port, _ in listening(running[0]):
        for method in ("ray.rpc.NodeInfoGcsService/GetAllNodeInfo", "ray.rpc.CoreWorkerService/PushTask"):
            with (
                grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
                pytest.raises(grpc.RpcError) as error,
            ):
                channel.unary_unary(f"/{method}")(b"", timeout=10)
            assert error.value.code() in (grpc.StatusCode.UNAUTHENTICATED, *unserved), name
            if error.value.code() is grpc.StatusCode.UNAUTHENTICATED:
                asking.add(name)
    assert "gcs_server" in asking
    assert len(asking) >= 2  # and the workers


def post(port, path):
    """The status of an HTTP answer to who has no token; None where no HTTP is spoken."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, "{}", {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (http.client.HTTPException, OSError):
        return None
    finally:
        connection.close()


def test_no_port_takes_jobs_or_environments_over_http_without_the_token(running):
    ports = [port for _, port, _ in listening(running[0])]
    for path in ("/api/job_agent/jobs/", "/get_or_create_runtime_env"):
        statuses = [post(port, path) for port in ports]
        assert set(statuses) <= {None, 401, 405}, path  # 405: pages of counters, which take nothing
        assert 401 in statuses


def enters(address, home, credentials):
    """Whether another process runs a task in the cluster; one that is not let in fails, or tries for ever."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(home), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", **credentials}
    try:
        done = subprocess.run(
            [sys.executable, "-c", STRANGER, address],
            env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        return b"it ran" in (late.stdout or b"")
    return done.returncode == 0 and "it ran" in done.stdout


@pytest.mark.parametrize(
    "credentials",
    [{}, {"RAY_AUTH_MODE": "token"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}],
    ids=["no authentication", "no token", "wrong token"],
)
def test_a_process_without_the_token_stays_out(running, tmp_path, credentials):
    assert not enters(running[1], tmp_path, credentials)


def test_a_process_with_the_token_comes_in(running, tmp_path):
    pid, address, _ = running
    (token,) = {
        child.environ()["RAY_AUTH_TOKEN"]
        for child in psutil.Process(pid).children()
        if child.name() == "gcs_server"
    }
    assert enters(address, tmp_path, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token})


def test_files_are_private_and_hold_no_token(running):
    _, _, folder = running
    (private,) = folder.glob("ray-*")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not (folder / ".ray").exists()


def test_a_temporary_folder_that_is_too_long_is_named(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 80)
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    with pytest.raises(UsageError, match=r"xxx is too long for Ray's sockets.*RAY_TMPDIR"), local_ray(print):
        pass
    assert not long.exists()


@pytest.mark.parametrize("where", ["/dev/null", "/proc/none", "/dev/null/below"])
def test_a_temporary_folder_that_is_none_is_named(monkeypatch, where):
    monkeypatch.setenv("RAY_TMPDIR", where)
    with pytest.raises(UsageError, match=rf"{where} \(.*\); set RAY_TMPDIR"), local_ray(print):
        pass


class Starts:
    """Ray's start, which fails so often and then works."""

    def __init__(self, failures):
        self.left = failures

    def __call__(self, folder):
        if self.left:
            self.left -= 1
            raise Exception("The current node timed out during startup. This could happen…\nmore")


def test_a_start_that_times_out_is_tried_once_more(monkeypatch):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", "/tmp")
    said = []
    monkeypatch.setattr(module, "_init", Starts(1))
    with local_ray(said.append):
        pass
    assert "timed out during startup" in said[-1]
    assert "one more try" in said[-1]
    monkeypatch.setattr(module, "_init", Starts(2))
    sentence = r"^Ray does not start on this machine: .*; see .* start again\.$"
    with pytest.raises(StudyError, match=sentence), local_ray(said.append):
        pass
