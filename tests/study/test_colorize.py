"""`python -m study.colorize` and `python -m study.export_onnx` on a model folder made by hand."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from models.architectures import ARCHITECTURES
from models.colorizer import Colorizer
from models.colorizer_config import CONFIG, PLUGIN
from models.metrics import rgb_to_lab
from study import colorize, export_onnx
from study.deployment.onnx import TOLERANCE
from tests.support.model_folders import make_model
from tests.support.odd_images import ODD
from tests.support.tables import restored


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    (folder / "old" / "1920").mkdir(parents=True)
    y, x = np.mgrid[0:60, 0:90]
    picture = Image.fromarray((120 + 100 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8))
    picture.save(folder / "one.png")
    picture.crop((0, 0, 33, 60)).save(folder / "old" / "two.jpg", quality=95)
    picture.save(folder / "old" / "1920" / "three.gif")
    (folder / "old" / "notes.txt").write_text("no image")
    return folder


def run(*arguments):
    return colorize.main([str(argument) for argument in arguments])


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_folders_keep_their_structure_and_images_their_size(model, photographs, tmp_path):
    assert run(photographs, "--output", tmp_path / "out", "--model", model) == 0
    assert names(tmp_path / "out") == ["old/1920/three.gif.png", "old/two.jpg", "one.png"]
    with Image.open(tmp_path / "out" / "old" / "two.jpg") as image:
        assert (image.size, image.mode) == ((33, 60), "RGB")
    with Image.open(photographs / "one.png") as grey, Image.open(tmp_path / "out" / "one.png") as coloured:
        given, made = (np.asarray(one.convert("RGB")) for one in (grey, coloured))
    assert not np.array_equal(given, made)
    import torch

    both = torch.from_numpy(np.stack([given, made])).permute(0, 3, 1, 2).float() / 255
    lightness = rgb_to_lab(both)[:, 0]
    assert (lightness[0] - lightness[1]).abs().mean() < 1


def test_unreadable_files_are_named_and_the_rest_is_coloured(model, photographs, tmp_path, capsys):
    (photographs / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    (photographs / "empty.png").write_bytes(b"")
    assert run(photographs, "--output", tmp_path / "out", "--model", model) == 1
    said = capsys.readouterr().out
    assert "broken.jpg is refused" in said
    assert "empty.png is refused: it is empty" in said
    assert "Coloured 3" in said
    assert "2 of 5 were not coloured" in said
    assert len(names(tmp_path / "out")) == 3


def test_fifty_odd_files_end_in_a_picture_or_in_one_line(model, tmp_path, capfd):
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, make in ODD.items():
        if name != "phone.mpo":  # it becomes phone.jpg, which is there
            make(folder / name)
    capfd.readouterr()
    assert run(folder, "--output", tmp_path / "out", "--model", model) == 1
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "Warning" not in said
    refused = [line for line in said.splitlines() if " is refused: " in line]
    assert len(refused) == len(set(refused)) == 20
    assert "Coloured 28 into" in said
    assert "corrupt-exif.jpg is coloured without its EXIF." in said
    assert len(names(tmp_path / "out")) == 28


def test_folders_are_walked_as_those_of_datasets_are(model, photographs, tmp_path, capsys):
    for hidden in (".thumbnails", "@eaDir", ".Trash-1000"):
        (photographs / hidden).mkdir()
        shutil.copy(photographs / "one.png", photographs / hidden)
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(photographs / "one.png", tmp_path / "elsewhere")
    (photographs / "linked").symlink_to(tmp_path / "elsewhere")
    assert run(photographs, "--output", tmp_path / "out", "--model", model) == 0
    assert names(tmp_path / "out") == ["linked/one.png", "old/1920/three.gif.png", "old/two.jpg", "one.png"]
    assert "no images: 1 .txt." in capsys.readouterr().out


def test_a_name_that_is_too_long_is_one_line(model, photographs, tmp_path, capsys):
    shutil.copy(photographs / "old" / "1920" / "three.gif", photographs / ("x" * 251 + ".gif"))
    assert run(photographs, "--output", tmp_path / "out", "--model", model) == 1
    assert "cannot be written: File name too long." in capsys.readouterr().out
    assert len(names(tmp_path / "out")) == 3


def test_two_files_that_would_become_one_are_refused_before_anything_is_written(
    model, photographs, tmp_path, capsys
):
    shutil.copy(photographs / "one.png", photographs / "old" / "1920" / "three.gif.png")
    assert run(photographs, "--output", tmp_path / "out", "--model", model, "--overwrite") == 2
    assert "would both become old/1920/three.gif.png" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unless_asked(model, photographs, tmp_path, capsys):
    output = tmp_path / "out"
    output.mkdir()
    (output / "one.png").write_text("mine")
    assert run(photographs / "one.png", "--output", output, "--model", model) == 1
    assert (output / "one.png").read_text() == "mine"
    assert "give --overwrite" in capsys.readouterr().out
    assert run(photographs / "one.png", "--output", output, "--model", model, "--overwrite") == 0
    with Image.open(output / "one.png") as image:
        assert image.size == (90, 60)


def test_the_original_is_never_the_target(model, photographs, capsys):
    before = (photographs / "one.png").read_bytes()
    arguments = (photographs / "one.png", "--output", photographs, "--model", model, "--overwrite")
    assert run(*arguments) == 2
    assert "is the original itself" in capsys.readouterr().err
    assert (photographs / "one.png").read_bytes() == before


def test_output_inside_the_input_is_no_input(model, photographs):
    output = photographs / "coloured"
    assert run(photographs, "--output", output, "--model", model) == 0
    first = names(output)
    assert run(photographs, "--output", output, "--model", model, "--overwrite") == 0
    assert names(output) == first


def test_a_model_that_is_not_certain_to_help_says_so_whenever_it_is_used(photographs, tmp_path, capsys):
    folder = make_model(tmp_path / "weak", warning="The champion is no better than photographs left grey.")
    assert run(photographs / "one.png", "--output", tmp_path / "out", "--model", folder) == 0
    assert "no better than photographs left grey" in capsys.readouterr().out


def test_a_u_net_on_vgg16_colours_photographs_of_any_size(photographs, tmp_path):
    folder = make_model(tmp_path / "vggunet", "vggunet")
    assert run(photographs, "--output", tmp_path / "out", "--model", folder) == 0
    assert len(names(tmp_path / "out")) == 3


def test_compare_puts_grey_and_coloured_side_by_side(model, photographs, tmp_path):
    assert run(photographs / "one.png", "--output", tmp_path / "out", "--model", model, "--compare") == 0
    with Image.open(tmp_path / "out" / "one.png") as image, Image.open(photographs / "one.png") as grey:
        assert image.size == (180, 60)
        assert np.array_equal(np.asarray(image)[:, :90, 1], np.asarray(grey))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent.png", "--model", "{model}"], "absent.png does not exist"),
        (
            ["{photographs}/old/1920", "{photographs}/old/1920", "--model", "{model}"],
            "would both become three.gif",
        ),
        (["{model}", "--model", "{model}"], "There is no image in"),
        (["{photographs}", "--model", "{photographs}"], "is neither a model folder"),
        (["{photographs}", "--model", "{model}", "--dataset", "fruit"], "give the study with --name"),
        (["{photographs}/" + "x" * 300, "--model", "{model}"], "cannot be read: File name too long"),
        (["{photographs}", "--name", "nothing", "--home", "{photographs}"], "There is no study nothing"),
    ],
)
def test_wrong_usage_is_one_sentence_and_writes_nothing(
    model, photographs, tmp_path, capsys, arguments, sentence
):
    filled = [one.format(model=model, photographs=photographs) for one in arguments]
    assert run(*filled, "--output", tmp_path / "out") == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def foreign(tmp_path):
    """A model that brings a program; running it leaves a file."""
    folder = make_model(tmp_path / "foreign")
    config = json.loads((folder / CONFIG).read_text()) | {"architecture": "theirs", "plugin": PLUGIN}
    (folder / CONFIG).write_text(json.dumps(config))
    (folder / PLUGIN).write_text(
        f"""
from dataclasses import replace
from models.architectures import architecture, register
open({str(tmp_path / "it-ran")!r}, "w")
def build(settings, parameters, device):
    return architecture("unet").build(settings, parameters, device)
register(replace(architecture("unet"), name="theirs", build=build))
"""
    )
    return folder


@pytest.mark.parametrize("address", ["folder", "models:/theirs@champion"])
@pytest.mark.parametrize("command", ["colorize", "export_onnx"])
def test_a_models_program_runs_only_with_trust_code(
    foreign, photographs, tmp_path, capsys, monkeypatch, address, command
):
    restored(monkeypatch, ARCHITECTURES)
    monkeypatch.setattr("study.deployment.model_source._download", lambda *_: foreign)
    model = ["--model", str(foreign) if address == "folder" else address]
    if command == "colorize":
        main, words = colorize.main, [str(photographs), "--output", str(tmp_path / "out")]
    else:
        pytest.importorskip("onnxscript")
        main, words = export_onnx.main, ["--output", str(tmp_path / "model.onnx")]
    assert main([*words, *model]) == 1
    assert f"{foreign / CONFIG} names a plug-in" in capsys.readouterr().err
    assert not (tmp_path / "it-ran").exists()
    assert main([*words, *model, "--trust-code"]) == 0
    assert (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("name", ["unet", "koalarization", "vggunet"])
def test_onnx_predicts_what_the_network_predicts_for_any_batch(tmp_path, name):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    folder = make_model(tmp_path / "model", name)
    assert export_onnx.main(["--model", str(folder), "--output", str(tmp_path / "model.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    grey = np.random.default_rng(0).integers(0, 256, (5, 32, 32), dtype=np.uint8)
    (answer,) = session.run(None, {"grey": grey[:, None].astype(np.float32) / 127.5 - 1})
    assert np.abs(answer - Colorizer.load(folder, "cpu").predict(grey).numpy()).max() <= TOLERANCE
    assert session.get_modelmeta().custom_metadata_map["colorizer"].startswith('{"architecture"')
