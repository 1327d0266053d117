"""The examples of docs/serving.md, run against a server."""

import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.support.colour_server import colour_server
from tests.support.documents import blocks
from tests.support.model_folders import make_model

SHOWN = "http://127.0.0.1:8000"
EXAMPLES = [one for one in blocks(ROOT / "docs" / "serving.md") if SHOWN in one.text]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with colour_server(make_model(tmp_path_factory.mktemp("model"))) as address:
        yield address


@pytest.fixture
def photographs(tmp_path):
    Image.linear_gradient("L").resize((64, 48)).save(tmp_path / "harbour.jpg")
    Image.radial_gradient("L").resize((30, 40)).save(tmp_path / "market.png")
    return tmp_path


def run(example, address, folder):
    program = {"sh": ["bash", "-e", "-c"], "python": [sys.executable, "-c"]}[example.language]
    text = example.text.replace(SHOWN, address)
    done = subprocess.run([*program, text], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_runs(server, photographs):
    one, several, in_json = EXAMPLES
    run(one, server, photographs)
    with Image.open(photographs / "harbour-coloured.jpg") as image:
        assert (image.size, image.mode) == ((64, 48), "RGB")
    run(several, server, photographs)
    with zipfile.ZipFile(photographs / "coloured.zip") as archive:
        assert archive.namelist() == ["harbour.jpg", "market.png"]
    assert run(in_json, server, photographs) == "harbour.jpg coloured\nmarket.png coloured\n"
    with Image.open(photographs / "coloured-market.png") as image:
        assert (image.size, image.mode) == ((30, 40), "RGB")
