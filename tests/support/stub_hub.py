"""As much of Hugging Face's HTTP interface as an upload needs, in a thread of the tests."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What was uploaded: `files` by path, `repository` as it was asked for. `token` is the only one that may write."""

    address: str = ""
    token: str = "hf_tester"
    repository: dict = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)  # by SHA-256

    def answer(self, path: str, body: bytes) -> dict:
        if path == "/api/repos/create":
            self.repository = json.loads(body)
            name = f"{self.repository['organization']}/{self.repository['name']}"
            return {"url": f"{self.address}/{name}"}
        if "/preupload/" in path:
            asked = [one["path"] for one in json.loads(body)["files"]]
            kinds = {name: "lfs" if name.endswith(".safetensors") else "regular" for name in asked}
            return {
                "files": [
                    {"path": name, "uploadMode": kind, "shouldIgnore": False} for name, kind in kinds.items()
                ]
            }
        if path.endswith("/objects/batch"):
            upload = [
                {**one, "actions": {"upload": {"href": f"{self.address}/large/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return {"transfer": "basic", "objects": upload}
        if "/commit/" in path:
            self._commit([json.loads(line) for line in body.splitlines()])
            return {
                "commitUrl": f"{self.address}/{'/'.join(path.split('/')[3:5])}/commit/1",
                "commitOid": "1",
            }
        return {}

    def _commit(self, lines: list[dict]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "lfsFile":
                self.files[value["path"]] = self.large[value["oid"]]


@contextmanager
def stub_hub() -> Iterator[Hub]:
    """A running stub."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._body()
            allowed = self.headers.get("authorization") == f"Bearer {hub.token}"
            answer = hub.answer(self.path.partition("?")[0], body) if allowed else {"error": "Who are you?"}
            self._send(200 if allowed else 401, answer)

        def do_PUT(self) -> None:
            content = self._body()
            hub.large[hashlib.sha256(content).hexdigest()] = content
            self._send(200, {})

        def do_GET(self) -> None:
            self._send(404, {"error": "not found"})

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _send(self, status: int, content: dict) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
