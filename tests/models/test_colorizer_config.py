"""A model folder from someone else: no code runs unasked, and nonsense in its files is named."""

import json

import pytest
import torch

from models.checkpoint import load_weights, save_weights
from models.colorizer import WEIGHTS, Colorizer
from models.colorizer_config import CONFIG, PLUGIN, ColorizerConfig
from models.errors import ModelError
from tests.support.synthetic import CPU


@pytest.fixture
def folder(build, tmp_path):
    config = ColorizerConfig("unet", 4, 32)
    Colorizer(config, build("unet").generator_tensors(), None, CPU).save(tmp_path)
    return tmp_path


def change(folder, **values):
    content = json.loads((folder / CONFIG).read_text()) | values
    (folder / CONFIG).write_text(json.dumps(content))


@pytest.mark.parametrize("plugin", [PLUGIN, "evil_module"])
def test_a_plugin_runs_only_when_it_is_trusted(folder, monkeypatch, plugin):
    witness = folder / "it-ran"
    for name in (PLUGIN, "evil_module.py"):
        (folder / name).write_text(f"open({str(witness)!r}, 'w')\n")
    monkeypatch.syspath_prepend(folder)
    change(folder, architecture="theirs", plugin=plugin)
    with pytest.raises(ModelError, match=rf"{CONFIG} names a plug-in.*--trust-code"):
        Colorizer.load(folder, "cpu")
    assert not witness.exists()
    with pytest.raises(ModelError, match="registers nothing"):
        Colorizer.load(folder, "cpu", trust_code=True)
    assert witness.exists()


@pytest.mark.parametrize(
    "plugin", ["/tmp/evil.py", "../evil.py", "other.py", "a..b", "os; x", "-m", 5, ["os"]]
)
def test_a_plugin_elsewhere_is_refused_even_when_trusted(folder, plugin):
    change(folder, architecture="theirs", plugin=plugin)
    with pytest.raises(ModelError, match=r"damaged: plugin is "):
        Colorizer.load(folder, "cpu", trust_code=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("width", "8"),
        ("width", True),
        ("width", 10**9),
        ("image_size", 0),
        ("image_size", 32.0),
        ("image_size", [32]),
        ("architecture", ["unet"]),
        ("architecture", None),
        ("vgg16", "download"),
        ("origin", "mine"),
        ("parameters", [1]),
        ("parameters", {"learning_rate": [1]}),
        ("target", 3),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(folder, key, value):
    change(folder, **{key: value})
    with pytest.raises(ModelError, match=rf"{CONFIG} is damaged: {key}\S* is "):
        Colorizer.load(folder, "cpu")


@pytest.mark.parametrize(
    "text", ["[]", "5", "{", '{"architecture": "unet", "colour": 1}', "[" * 100_000, "{}"]
)
def test_a_file_that_is_no_configuration_is_named(folder, text):
    (folder / CONFIG).write_text(text)
    with pytest.raises(ModelError, match=f"{CONFIG} is damaged"):
        Colorizer.load(folder, "cpu")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(folder, value):
    tensors = load_weights(folder / WEIGHTS)[0]
    name = next(key for key in tensors if key.endswith("weight"))
    tensors[name] = torch.full_like(tensors[name], value)
    save_weights(folder / WEIGHTS, tensors, {})
    with pytest.raises(ModelError, match=f"{WEIGHTS} is damaged: {name} is not finite"):
        Colorizer.load(folder, "cpu")
