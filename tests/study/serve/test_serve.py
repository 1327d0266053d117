"""`study.serve`: every photograph is answered by itself, with a picture or one sentence."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from data_utils.photographs import read_photograph
from models.colorizer import Colorizer
from study.serve.__main__ import main
from study.serve.limits import Limits
from tests.conftest import ROOT
from tests.support.colour_server import ask, colour_server, send_files, send_json
from tests.support.model_folders import make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"), study="attic", dataset="albums")


@pytest.fixture(scope="module")
def server(model):
    with colour_server(model) as address:
        yield address


@pytest.fixture
def photograph(tmp_path):
    y, x = np.mgrid[0:60, 0:90]
    path = tmp_path / "harbour.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # lies on its side
    image = Image.fromarray((120 + 100 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8))
    image.save(path, quality=95, exif=exif)
    return path


@pytest.fixture
def text_called_jpg(tmp_path):
    path = tmp_path / "letter.jpg"
    path.write_text("Dear Sir or Madam")
    return path


def test_a_photograph_comes_back_upright_coloured_and_with_its_metadata(model, server, photograph):
    answer = send_files(server, photograph)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["content-disposition"].endswith("harbour.jpg")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.size, image.format, image.mode) == ((60, 90), "JPEG", "RGB")
        assert image.getexif()[0x010F] == "a camera"
        assert 0x0112 not in image.getexif()
        made = np.asarray(image).astype(float)
    expected = Colorizer.load(model, "cpu").colour(read_photograph(photograph).grey)
    assert np.abs(made - expected).mean() < 3  # JPEG's losses


def test_sixty_megapixels_are_refused_in_a_sentence(server, tmp_path):
    path = tmp_path / "wall.png"
    Image.new("1", (10_000, 6_000)).save(path)
    answer = send_files(server, path)
    assert (answer.status, answer.text) == (
        422,
        "wall.png is refused: 10000×6000 pixels are more than 40000000.",
    )


def test_a_text_called_jpg_is_refused_in_a_sentence(server, text_called_jpg):
    answer = send_files(server, text_called_jpg)
    assert (answer.status, answer.text) == (
        422,
        "letter.jpg is refused: it is not an image in a known format.",
    )


def test_thirty_files_are_refused_in_a_sentence(server, photograph):
    answer = send_files(server, *[photograph] * 30)
    assert (answer.status, answer.text) == (
        413,
        "There are more than 20 photographs; send at most 20 at a time.",
    )


def test_several_files_become_an_archive_with_the_refusals(server, photograph, text_called_jpg, tmp_path):
    (tmp_path / "other").mkdir()
    Image.new("L", (33, 20), 90).save(tmp_path / "other" / "harbour.jpg")
    answer = send_files(server, photograph, text_called_jpg, tmp_path / "other" / "harbour.jpg")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["harbour.jpg", "harbour-2.jpg", "messages.txt"]
        with archive.open("harbour-2.jpg") as file, Image.open(file) as image:
            assert image.size == (33, 20)
        assert archive.read("messages.txt").decode().startswith("letter.jpg is refused: ")


def test_json_is_answered_in_kind(server, photograph, text_called_jpg):
    sent = [
        {"name": path.name, "image": base64.b64encode(path.read_bytes()).decode()}
        for path in (photograph, text_called_jpg)
    ]
    answer = send_json(server, {"images": [*sent, {"image": "no base64!"}]})
    first, second, third = json.loads(answer.content)["images"]
    with Image.open(io.BytesIO(base64.b64decode(first["image"]))) as image:
        assert image.size == (60, 90)
    assert (first["name"], "message" in first) == ("harbour.jpg", False)
    assert second["message"] == "letter.jpg is refused: it is not an image in a known format."
    assert third["message"] == "photograph is refused: it is not base64; encode the file's bytes."


@pytest.mark.parametrize("content", [[], {}, {"images": 3}, {"images": [{}]}, {"images": ["x"]}])
def test_json_of_another_shape_is_refused_in_a_sentence(server, content):
    answer = send_json(server, content)
    assert answer.status == 400
    assert answer.text.startswith("The JSON is not as expected; send ")


def test_too_many_images_in_json_are_refused(server):
    answer = send_json(server, {"images": [{"image": ""}] * 21})
    assert (answer.status, answer.text) == (413, Limits().too_many_files)


def test_other_requests_are_refused_in_a_sentence(server, photograph):
    assert ask(f"{server}/colour", b"x", Content_Type="image/jpeg").status == 415
    assert send_files(server, photograph, field="picture").text.endswith("files of the field image.")
    assert ask(f"{server}/colour", b"x", Content_Type="multipart/form-data").status == 400


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\photos\\a.jpg", "..", "x" * 400 + ".jpg", "a\x00b", "\ud800"]
)
def test_a_name_leads_nowhere(server, name):
    answer = send_json(server, {"images": [{"name": name, "image": "aGVsbG8="}]})
    (entry,) = json.loads(answer.content)["images"]
    assert entry["message"].endswith("is refused: it is not an image in a known format.")
    assert "/" not in entry["message"]


@pytest.fixture(scope="module")
def small(model):
    with colour_server(model, Limits(megabytes=1, requests=1)) as address:
        yield address


def test_a_large_body_is_refused_before_it_is_sent(small):
    host, port = small.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        head = f"POST /colour HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 2000000\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
        said = b""
        while piece := connection.recv(4096):
            said += piece
            if said.endswith(b"at a time."):
                break
    assert said.startswith(b"HTTP/1.1 413")
    assert said.endswith(b"The request has more than 1 MB; send fewer or smaller photographs at a time.")


def test_a_body_of_unknown_length_is_counted_as_it_is_read(small):
    def pieces():
        yield from [b" " * 100_000] * 30

    import http.client

    connection = http.client.HTTPConnection(small.removeprefix("http://"), timeout=20)
    try:
        connection.request(
            "POST", "/colour", pieces(), {"Content-Type": "application/json"}, encode_chunked=True
        )
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server hung up while the rest was being sent
    finally:
        connection.close()


def test_one_request_too_many_is_told_to_come_back(small, photograph):
    host, port = small.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as first:
        head = f"POST /colour HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 20\r\n"
        first.sendall(f"{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n".encode())
        assert b"100 Continue" in first.recv(4096)  # its body is being waited for
        answer = send_files(small, photograph)
        assert (answer.status, answer.text) == (503, Limits(requests=1).busy)
    assert answer.headers["retry-after"] == "1"


def test_no_more_photographs_are_coloured_at_a_time_than_allowed(model, photograph, monkeypatch):
    busy, most, lock = 0, 0, threading.Lock()
    whole = Colorizer.colour

    def colour(self, grey):
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        made = whole(self, grey)
        with lock:
            busy -= 1
        return made

    monkeypatch.setattr(Colorizer, "colour", colour)
    with colour_server(model, Limits(at_once=2)) as address:
        threads = [threading.Thread(target=send_files, args=(address, photograph)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 <= most <= 2


def test_on_loopback_foreign_names_and_pages_are_refused(server, photograph):
    assert ask(server, Host="localhost:80").status == 200
    for name in ("evil.example", "localhost.evil.example", "", "["):
        answer = ask(server, Host=name)
        assert (answer.status, answer.text[:44]) == (403, "This server answers at localhost alone; open"), (
            name
        )
    assert send_files(server, photograph, Origin="http://evil.example").status == 403
    assert send_files(server, photograph, Origin=server).status == 200


def test_elsewhere_any_name_may_be_used_but_no_foreign_page(model, photograph):
    with colour_server(model, host="0.0.0.0") as address:
        assert ask(address, Host="attic.example").status == 200
        assert send_files(address, photograph, Origin="http://evil.example").status == 403


def test_the_page_loads_nothing_and_names_its_model(server):
    answer = ask(server)
    assert "unet · attic · albums" in answer.text
    assert "{{" not in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_ctrl_c_ends_it_quietly(model):
    command = [sys.executable, "-m", "study.serve", "--model", model, "--port", "0", "--host", "0.0.0.0"]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    lines = [server.stdout.readline(), server.stdout.readline()]
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=60)
    assert lines[0].startswith("Colouring photographs at http://0.0.0.0:")
    assert lines[1].startswith("Whoever reaches port ")
    assert (server.returncode, out, err) == (130, "", "Interrupted.\n")


def test_a_port_that_is_taken_and_bad_limits_are_one_sentence(model, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--model", str(model), "--port", port]) == 2
    assert f"127.0.0.1:{port} cannot be listened at: Address already in use" in capsys.readouterr().err
    assert main(["--model", str(model), "--port", "99999"]) == 2
    assert main(["--model", str(model), "--max-files", "0"]) == 2
    assert "'0' is not a whole number from 1 on" in capsys.readouterr().err
