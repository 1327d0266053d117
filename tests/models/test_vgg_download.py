"""The download, from a server on this machine."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from models import vgg_download
from models.errors import ModelError
from models.vgg_download import URL, fetch_vgg16
from models.vgg_weights import HUB_FILE, load_vgg16, weights_file


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves a folder; its address ends where the file's name begins."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def weights(server, monkeypatch) -> Path:
    """VGG16 with random weights in place of torchvision's file."""
    folder, _ = server
    torch.save(load_vgg16("random").state_dict(), folder / "vgg16")
    digest = hashlib.sha256((folder / "vgg16").read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(vgg_download, "HUB_DIGEST", digest)
    return (folder / "vgg16").rename(folder / HUB_FILE)


def test_the_address_is_torchvisions_own():
    assert URL.startswith("https://download.pytorch.org/")
    assert URL.endswith(HUB_FILE)


def test_what_was_fetched_is_what_auto_reads(server, hub, weights):
    path = fetch_vgg16(f"{server[1]}/{weights.name}", progress=False)
    assert path == hub / weights.name == weights_file("auto")
    expected = load_vgg16("random").state_dict()["0.weight"]
    assert torch.equal(load_vgg16("auto").state_dict()["0.weight"], expected)
    weights.unlink()
    assert fetch_vgg16(f"{server[1]}/{weights.name}", progress=False) == path  # kept, not fetched again


def test_a_damaged_file_is_replaced_and_a_wrong_one_refused(server, hub, weights):
    address = f"{server[1]}/{weights.name}"
    path = fetch_vgg16(address, progress=False)
    path.write_bytes(b"torn")
    assert fetch_vgg16(address, progress=False).stat().st_size == weights.stat().st_size
    path.unlink()
    weights.write_bytes(b"a proxy's login page")
    with pytest.raises(ModelError, match=f"invalid hash value.*put {weights.name} into {hub} by hand"):
        fetch_vgg16(address, progress=False)
    assert not path.exists()


def test_failures_are_told_in_one_sentence(server, hub, monkeypatch):
    with pytest.raises(ModelError, match=rf"404.*https_proxy.*{HUB_FILE} into {hub}"):
        fetch_vgg16(f"{server[1]}/none.pth", progress=False)
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch_vgg16("http://127.0.0.1:9/none.pth", progress=False)
    assert not list(hub.glob("*"))


def test_a_dead_proxy_is_named(hub, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ModelError, match=r"through the proxy http://127.0.0.1:9 that http_proxy names"):
        fetch_vgg16("http://weights.example/none.pth", progress=False)
