"""Whoever asks for it is told when a study ends."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from study import launch
from study.cli.notify import notify
from study.errors import StudyError


@pytest.fixture
def hook():
    """A server that keeps what is posted to it."""
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/services/secret", posted
    server.shutdown()
    server.server_close()


def test_a_web_hook_gets_the_sentence(hook):
    address, posted = hook
    assert notify(address, "The study a has finished.") == ""
    assert posted == [{"text": "The study a has finished."}]


def test_a_command_gets_the_sentence_as_its_last_argument(tmp_path):
    program = f"import sys; open({str(tmp_path / 'said')!r}, 'w').write(sys.argv[-1])"
    assert notify(f'"{sys.executable}" -c "{program}"', "a b") == ""
    assert (tmp_path / "said").read_text() == "a b"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("http://127.0.0.1:1/services/secret", "Nobody was told: --notify 127.0.0.1: "),
        ("no-such-program", "No such file or directory: 'no-such-program'"),
        (f'"{sys.executable}" -c "exit(3)"', "ended with exit code 3"),
        ("unclosed '", "No closing quotation"),
        ("", "it is empty"),
    ],
)
def test_what_cannot_be_told_is_said_without_the_secret(target, sentence):
    said = notify(target, "a")
    assert sentence in said
    assert "secret" not in said


def test_a_study_that_stops_tells_why(hook, tmp_path, monkeypatch, capsys):
    address, posted = hook

    def stops(*_):
        raise StudyError("The disk is full.")

    monkeypatch.setattr("study.driver.pipeline.run_pipeline", stops)
    code = launch.main(["demo", "--name", "a", "--home", str(tmp_path), "--notify", address])
    assert code == 1
    assert posted == [{"text": "The study a stopped: The disk is full."}]
    assert "The disk is full." in capsys.readouterr().err
