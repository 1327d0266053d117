"""`study.publish`: a champion in a folder or on Hugging Face, with all that somebody else needs to use it."""

import os
import subprocess
import sys

import pytest
import yaml
from PIL import Image

from models.colorizer_config import CONFIG
from study.publish.__main__ import main
from study.settings.study_folder import StudyHome
from tests.conftest import ROOT
from tests.support.model_folders import make_model
from tests.support.stub_hub import stub_hub

UPLOAD = """
import sys
from pathlib import Path
from study.cli.command import run_command
from study.publish.hub import upload
def command(arguments, console):
    print(upload(Path(arguments[0]), arguments[1], private=True))
    return 0
sys.exit(run_command(command, sys.argv[1:]))
"""


@pytest.fixture
def studies(whole, tmp_path):
    """The folder of studies in which the made-up one has its champions."""
    home = StudyHome(tmp_path / "runs" / whole.name)
    for dataset in ("fruit", "scenes"):
        make_model(home.champion(dataset))
    settings = {**whole.settings, "tracking": {"uri": whole.uri}}
    home.settings_file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return home.root.parent


def publish(studies, *arguments):
    return main(["--name", "whole", "--home", str(studies), *map(str, arguments)])


def test_a_folder_has_weights_card_and_a_program_that_colours_by_itself(studies, whole, tmp_path, capsys):
    folder = tmp_path / "published"
    assert publish(studies, "--dataset", "fruit", "--to", folder, "--license", "cc-by-4.0") == 0
    assert f"Wrote the champion of fruit to {folder}." in capsys.readouterr().out
    assert {one.name for one in folder.iterdir()} == {
        "README.md", CONFIG, "weights.safetensors", "colorize.py", "requirements.txt", "models", "data_utils",
    }  # fmt: skip
    _, front, card = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    facts = yaml.safe_load(front)
    assert (facts["license"], facts["pipeline_tag"]) == ("cc-by-4.0", "image-to-image")
    assert {"image-colorization", "unet"} <= set(facts["tags"])
    (result,) = facts["model-index"][0]["results"]
    assert result["dataset"] == {"name": "fruit", "type": "fruit", "split": "test"}
    measured = {one["type"]: one["value"] for one in result["metrics"]}
    assert set(measured) == set(facts["metrics"]) >= {"ciede2000", "psnr", "ssim"}
    assert f"{measured['ciede2000']:.2f}" in card
    assert "plausible, not historical" in card
    needed = [one.partition("==")[0] for one in (folder / "requirements.txt").read_text().split()]
    assert set(needed) == {"torch", "torchvision", "numpy", "pillow", "safetensors", "lazy_loader"}

    Image.linear_gradient("L").resize((60, 40)).save(tmp_path / "grey.jpg")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, folder / "colorize.py", "grey.jpg", "coloured.jpg"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "coloured.jpg") as image:
        assert (image.size, image.mode) == ((60, 40), "RGB")


@pytest.fixture
def folder(tmp_path):
    made = make_model(tmp_path / "model")
    (made / "README.md").write_text("---\nlicense: other\n---\n# A model\n", encoding="utf-8")
    return made


def run_upload(folder, name, endpoint, token):
    pytest.importorskip("huggingface_hub")
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"}
    environment |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return subprocess.run(
        [sys.executable, "-c", UPLOAD, folder, name],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_hugging_face_has_every_file_of_the_folder_in_one_commit(folder):
    with stub_hub() as hub:
        done = run_upload(folder, "me/attic", hub.address, hub.token)
    assert (done.returncode, done.stdout) == (0, f"{hub.address}/me/attic\n"), done.stderr
    assert (hub.repository["name"], hub.repository["organization"]) == ("attic", "me")
    assert hub.files == {one.name: one.read_bytes() for one in folder.iterdir()}
    assert list(hub.large.values()) == [(folder / "weights.safetensors").read_bytes()]


def test_a_token_that_may_not_write_is_one_sentence(folder):
    with stub_hub() as hub:
        done = run_upload(folder, "me/attic", hub.address, "hf_wrong")
    assert done.returncode == 1
    assert f"{hub.address} did not take me/attic: " in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.files == {}


def test_wrong_usage_is_one_sentence_and_writes_nothing(studies, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    to = tmp_path / "published"
    for arguments, sentence in (
        (["--dataset", "fruit", "--to", tmp_path / "full"], "is there and not empty"),
        (["--to", to], "choose the dataset"),
        (["--dataset", "fruit", "--to", "hf://nobody"], "give hf://USER/NAME"),
        (["--dataset", "fruit"], "--to"),
    ):
        assert publish(studies, *arguments) == 2
        assert sentence in capsys.readouterr().err
    assert not to.exists()


def test_without_its_package_hugging_face_is_one_sentence(studies, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert publish(studies, "--dataset", "fruit", "--to", "hf://me/attic") == 2
    assert "pip install huggingface_hub" in capsys.readouterr().err
