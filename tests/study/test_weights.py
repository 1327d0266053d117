"""`python -m study.weights`: what it says, and how it ends."""

from pathlib import Path

import pytest
import torch

from models import vgg_download
from models.errors import ModelError
from models.vgg_weights import load_vgg16
from study import weights


@pytest.fixture(autouse=True)
def _own_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def test_where_the_fetched_file_is(monkeypatch, capsys):
    monkeypatch.setattr(vgg_download, "fetch_vgg16", lambda: Path("/hub/vgg16.pth"))
    assert weights.main([]) == 0
    assert "VGG16's weights are in /hub/vgg16.pth" in capsys.readouterr().out


def test_what_cannot_be_fetched_is_one_sentence(monkeypatch, capsys):
    def fail():
        raise ModelError("VGG16's weights could not be fetched; set https_proxy.")

    monkeypatch.setattr(vgg_download, "fetch_vgg16", fail)
    assert weights.main([]) == 1
    assert capsys.readouterr().err.strip() == "VGG16's weights could not be fetched; set https_proxy."


def test_a_check_fetches_nothing_and_says_how_to_get_the_weights(capsys):
    assert weights.main(["--check"]) == 1
    assert "python -m study.weights" in capsys.readouterr().err


def test_a_file_may_be_checked(tmp_path, capsys):
    file = tmp_path / "mine.pth"
    torch.save(load_vgg16("random").state_dict(), file)
    assert weights.main(["--file", str(file)]) == 0
    assert "usable: file mine.pth sha256" in capsys.readouterr().out
    file.write_bytes(b"no weights")
    assert weights.main(["--file", str(file)]) == 1
    assert "damaged" in capsys.readouterr().err
