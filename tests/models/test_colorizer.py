import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.architectures import ARCHITECTURES, Int, architecture, seeded_build
from models.colorizer import VGG16, WEIGHTS, Colorizer, seen_size
from models.colorizer_config import CONFIG, ColorizerConfig
from models.errors import ModelError
from models.metrics.colour import (
    keep_luminance,
    lab_to_rgb,
    lightness_of_grey,
    luma,
    rgb_to_lab,
    to_unit,
)
from models.settings import ModelSettings
from models.vgg import VGG16Features, vgg16_describer
from tests.support.synthetic import CPU
from tests.support.tables import restored

SIZE = 32


@pytest.fixture
def make(build):
    def colorizer(name: str = "unet", vgg16: str = "", describer: VGG16Features | None = None) -> Colorizer:
        tensors = build(name).generator_tensors()
        config = ColorizerConfig(name, 4, SIZE, vgg16=vgg16, origin={"study": "test"})
        return Colorizer(config, tensors, describer, CPU)

    return colorizer


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth shapes with noise, all grey levels."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    noise = np.random.default_rng(seed).normal(0, 6, (height, width))
    return np.clip(127 + 120 * np.sin(7 * x + 3 * y) * np.cos(5 * y) + noise, 0, 255).astype(np.uint8)


def lightness(rgb: np.ndarray) -> np.ndarray:
    return rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255)[0, 0].numpy()


@pytest.mark.parametrize("shape", [(32, 32), (50, 70), (9, 200), (1, 1), (3, 400), (333, 47)])
def test_any_image_is_coloured_at_its_own_size_with_its_own_lightness(make, shape):
    grey = picture(*shape)
    coloured = make().colour(grey)
    assert coloured.shape == (*shape, 3)
    assert coloured.dtype == np.uint8
    given = lightness(np.repeat(grey[:, :, None], 3, axis=2))
    assert np.abs(lightness(coloured) - given).mean() < 0.5


def test_an_image_of_the_models_size_gets_the_plain_prediction(make):
    colorizer = make()
    grey = picture(SIZE, SIZE)
    network_input = torch.from_numpy(grey)[None, None].float() / 127.5 - 1
    prediction = colorizer.predict(grey[None])
    assert torch.equal(prediction, colorizer._learner.predict(network_input))
    kept = keep_luminance(prediction, network_input)
    expected = (to_unit(kept)[0] * 255).round().permute(1, 2, 0).numpy()
    lab = rgb_to_lab(to_unit(prediction))
    lab[:, 0] = lightness_of_grey(to_unit(network_input))
    inside = ((lab_to_rgb(lab) >= 0) & (lab_to_rgb(lab) <= 1)).all(dim=1)[0].numpy()
    assert inside.mean() > 0.3
    assert np.abs(colorizer.colour(grey).astype(int) - expected)[inside].max() <= 1


def test_sixteen_bits_give_the_lightness_their_full_precision(make):
    colorizer = make()
    grey = picture(40, 60)
    same = colorizer.colour(grey.astype(np.uint16) * 257)
    assert np.array_equal(same, colorizer.colour(grey))
    darkest = np.linspace(0, 65535, 40 * 60, dtype=np.uint16).reshape(40, 60)
    assert colorizer.colour(darkest).shape == (40, 60, 3)


def test_large_images_are_merged_in_bands_without_seams(make, monkeypatch):
    colorizer = make()
    grey = picture(90, 70)
    whole = colorizer.colour(grey)
    monkeypatch.setattr("models.colorizer.BAND", 70 * 7)
    assert np.array_equal(colorizer.colour(grey), whole)


@pytest.mark.parametrize("name", ["unet", "cgan"])
def test_a_saved_model_colours_as_before(make, tmp_path, name):
    colorizer = make(name)
    colorizer.save(tmp_path / "model")
    loaded = Colorizer.load(tmp_path / "model", "cpu")
    grey = picture(50, 70)
    assert loaded.config == colorizer.config
    assert np.array_equal(loaded.colour(grey), colorizer.colour(grey))
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [CONFIG, WEIGHTS]


@pytest.mark.parametrize("name", ["unet", "cgan", "koalarization"])
def test_a_model_knows_that_it_keeps_the_luma(build, tmp_path, name):
    config = ColorizerConfig(name, 4, SIZE, vgg16="random", target="luma_kept")
    tensors = build(name, target="luma_kept").generator_tensors()
    features = architecture(name).features
    describer = vgg16_describer(features, "random") if features else None
    Colorizer(config, tensors, describer, CPU).save(tmp_path)
    grey = picture(SIZE, SIZE)
    prediction = Colorizer.load(tmp_path, "cpu").predict(grey[None])
    assert (luma(prediction) - (torch.from_numpy(grey) / 127.5 - 1)).abs().max() < 2e-6
    with pytest.raises(ModelError, match="another architecture"):
        Colorizer(ColorizerConfig(name, 4, SIZE), tensors, describer, CPU)


def test_random_vgg16_is_a_word_and_not_a_file(make, tmp_path):
    colorizer = make("koalarization", "random", VGG16Features("random"))
    colorizer.save(tmp_path)
    assert not (tmp_path / VGG16).exists()
    assert json.loads((tmp_path / CONFIG).read_text())["vgg16"] == "random"
    grey = picture(50, 70)
    assert np.array_equal(Colorizer.load(tmp_path, "cpu").colour(grey), colorizer.colour(grey))


def test_pretrained_vgg16_travels_with_its_normalisation(make, vgg_file, tmp_path):
    describer = VGG16Features(str(vgg_file))
    describer.mean += 0.25  # as if it were the paper's own weights
    colorizer = make("koalarization", "file", describer)
    colorizer.save(tmp_path)
    loaded = Colorizer.load(tmp_path, "cpu")
    grey = torch.from_numpy(picture(32, 32))[None]
    assert loaded.describer is not None
    assert torch.allclose(loaded.describer(grey), describer(grey), atol=1e-4)
    assert (tmp_path / VGG16).stat().st_size < 30e6


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((400, 400), (64, 64)),
        ((300, 600), (64, 128)),
        ((30, 20), (96, 64)),
        ((100, 1000), (19, 192)),
        ((1, 900), (1, 192)),
    ],
)
def test_the_network_sees_the_whole_image_with_its_aspect_ratio(shape, expected):
    assert seen_size(shape, 64) == expected


def test_models_that_cannot_work_are_refused_in_one_sentence(make, build, tmp_path):
    with pytest.raises(ModelError, match="needs VGG16"):
        make("koalarization")
    with pytest.raises(ModelError, match="multiple of 16"):
        Colorizer(ColorizerConfig("unet", 4, 40), build("unet").generator_tensors(), None, CPU)
    with pytest.raises(ModelError, match="another architecture or width"):
        Colorizer(ColorizerConfig("unet", 8, 32), build("unet").generator_tensors(), None, CPU)
    with pytest.raises(ModelError, match="no model folder"):
        Colorizer.load(tmp_path)
    make().save(tmp_path)
    (tmp_path / CONFIG).write_text('{"architecture": "unet"}')
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        Colorizer.load(tmp_path)
    with pytest.raises(ModelError, match="H×W uint8"):
        make().colour(np.zeros((4, 4, 3), np.uint8))


def test_a_plugins_architecture_travels_with_its_file(build, tmp_path, monkeypatch):
    restored(monkeypatch, ARCHITECTURES)
    plugin = Path(tmp_path / "architecture.py")
    plugin.write_text(
        "from dataclasses import replace\n"
        "from models.architectures import architecture, register\n"
        "def build(settings, parameters, device):\n"
        "    return architecture('unet').build(settings, parameters, device)\n"
        "register(replace(architecture('unet'), name='plugged', build=build))\n"
    )
    unet = Colorizer(ColorizerConfig("unet", 4, SIZE), build("unet").generator_tensors(), None, CPU)
    unet.save(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text()) | {
        "architecture": "plugged",
        "plugin": "architecture.py",
    }
    (tmp_path / CONFIG).write_text(json.dumps(config))
    grey = picture(40, 40)
    with pytest.raises(ModelError, match=r"config\.json names a plug-in.*--trust-code"):
        Colorizer.load(tmp_path, "cpu")
    trusted = Colorizer.load(tmp_path, "cpu", trust_code=True)
    assert np.array_equal(trusted.colour(grey), unet.colour(grey))
    assert architecture("plugged").stride == architecture("unet").stride


def test_hyperparameters_that_shape_the_network_travel_with_it(tmp_path, monkeypatch):
    restored(monkeypatch, ARCHITECTURES)

    unet = architecture("unet")

    def build(settings, parameters, device):
        return unet.build(replace(settings, width=parameters["channels"]), unet.textbook, device)

    space, textbook = {"channels": Int(2, 8)}, {"channels": 4}
    wider = replace(unet, name="wider", build=build, search_space=space, textbook=textbook)
    ARCHITECTURES.register(wider)
    trained = {"channels": 6}
    learner = seeded_build(wider, ModelSettings(), trained, CPU, 0)
    config = ColorizerConfig("wider", 64, SIZE, parameters=trained)
    saved = Colorizer(config, learner.generator_tensors(), None, CPU)
    saved.save(tmp_path)
    grey = picture(40, 40)
    assert np.array_equal(Colorizer.load(tmp_path, "cpu").colour(grey), saved.colour(grey))
