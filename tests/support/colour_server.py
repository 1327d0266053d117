"""`study.serve` in a thread of the tests, and how to ask it."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from models.colorizer import Colorizer
from study.serve.app import make_app
from study.serve.limits import Limits


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@contextmanager
def colour_server(model: Path, limits: Limits | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve a model folder on a free port of loopback, as if it listened at `host`; its address."""
    app = make_app(Colorizer.load(model, "cpu"), host, limits or Limits())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def ask(address: str, body: bytes | None = None, **headers: str) -> Answer:
    """GET, or POST a body; header names have `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


def send_files(address: str, *files: Path, field: str = "image", **headers: str) -> Answer:
    """POST files as a browser's form does."""
    boundary = uuid.uuid4().hex
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{file.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + file.read_bytes()
        + b"\r\n"
        for file in files
    )
    body += f"--{boundary}--\r\n".encode()
    return ask(f"{address}/colour", body, Content_Type=f"multipart/form-data; boundary={boundary}", **headers)


def send_json(address: str, content: object) -> Answer:
    return ask(f"{address}/colour", json.dumps(content).encode(), Content_Type="application/json")
