"""The served model takes files in base64 beside arrays; what it does not take is refused in one sentence."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

from data_utils.photographs import read_photograph
from models.colorizer import Colorizer
from study.deployment import served_model
from study.deployment.served_model import ServedColorizer
from tests.support.model_folders import make_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def served(folder):
    model = ServedColorizer()
    model.load_context(SimpleNamespace(artifacts={"model": str(folder)}))
    return lambda given: model.predict(None, given)


def in_base64(path):
    return base64.b64encode(path.read_bytes()).decode()


@pytest.mark.parametrize("kind", [pd.DataFrame, lambda table: {"image": np.array(table["image"])}])
def test_files_of_different_sizes_are_coloured_as_colorize_does(served, folder, tmp_path, kind):
    grey, wide = tmp_path / "grey.png", tmp_path / "wide.jpg"
    Image.radial_gradient("L").resize((30, 40)).save(grey)
    Image.linear_gradient("L").resize((90, 20)).save(wide)
    first, second, third = served(kind({"image": [in_base64(grey), in_base64(wide), "not base64!"]}))
    with Image.open(io.BytesIO(base64.b64decode(first["image"]))) as image:
        expected = Colorizer.load(folder).colour(read_photograph(grey).grey)
        assert np.array_equal(np.asarray(image), expected)
    with Image.open(io.BytesIO(base64.b64decode(second["image"]))) as image:
        assert (image.size, image.format) == ((90, 20), "JPEG")
    assert third == {"image": "", "message": "image 3 is refused: it is not base64; encode the file's bytes."}
    assert first["message"] == second["message"] == ""


def test_an_image_of_too_many_pixels_is_refused_and_the_others_are_coloured(served, tmp_path):
    Image.new("1", (10_000, 6_000)).save(tmp_path / "wall.png")
    Image.new("L", (5, 5)).save(tmp_path / "stamp.png")
    table = {"image": [in_base64(tmp_path / name) for name in ("wall.png", "stamp.png")]}
    wall, stamp = served(pd.DataFrame(table))
    assert wall["message"] == "image 1 is refused: 10000×6000 pixels are more than 40000000."
    assert stamp["image"]


def test_arrays_are_coloured_as_before_whatever_integers_json_made_of_them(served):
    grey = np.tile(np.arange(60, dtype=np.int64), (2, 44, 1))
    coloured = served(grey)
    assert (coloured.shape, coloured.dtype) == ((2, 44, 60, 3), np.uint8)
    assert np.array_equal(coloured, served(grey.astype(np.uint8)))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (np.array(["a", "b"]), "Give grey images as N×H×W whole numbers from 0 to 255"),
        (np.full((1, 4, 4), 256), "Give grey images as N×H×W whole numbers from 0 to 255"),
        (np.zeros((4, 4), dtype=np.uint8), "Give grey images as N×H×W"),
        (pd.DataFrame({"picture": ["x"]}), "The input has no column image"),
        (pd.DataFrame({"image": ["x"] * 65}), "There are 65 images; send at most 64 at a time"),
    ],
)
def test_other_input_is_refused_in_one_sentence(served, given, sentence):
    with pytest.raises(MlflowException, match=sentence):
        served(given)


def test_a_batch_that_is_too_large_is_refused(served, monkeypatch):
    monkeypatch.setattr(served_model, "MOST_CHARACTERS", 10)
    with pytest.raises(MlflowException, match="more than 10 characters"):
        served({"image": ["x" * 6, "y" * 6]})
