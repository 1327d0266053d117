import subprocess
import sys

import pytest

from models.architectures import ARCHITECTURES, Choice, Float, architecture, known, register, seeded_build
from models.discriminator import Discriminator, PatchDiscriminator
from models.errors import ModelError
from models.plugins import load_plugin
from models.settings import ModelSettings, Recipe
from tests.support.synthetic import CPU, images
from tests.support.tables import restored

PLUGIN = """
from models.architectures import Architecture, Float, register
from models.regression import RegressionLearner
from models.unet import UNet


def build(settings, parameters, device):
    return RegressionLearner(UNet(settings.width), parameters["learning_rate"], settings, device)


space = {{"learning_rate": Float(1e-5, 1e-2)}}
register(Architecture("{name}", build, space, {{"learning_rate": 1e-3}}, stride=16))
"""


@pytest.fixture(autouse=True)
def restored_registry(monkeypatch):
    restored(monkeypatch, ARCHITECTURES)


def test_four_architectures_are_built_in():
    assert known() == ("koalarization", "unet", "cgan", "vggunet")
    assert [architecture(name).features for name in known()] == ["vector", None, None, "maps"]
    assert architecture("cgan").pretrained_by == "unet"


@pytest.mark.parametrize("name", ["koalarization", "unet", "cgan", "vggunet"])
def test_the_textbook_lies_in_the_search_space(name):
    one = architecture(name)
    assert set(one.textbook) == set(one.search_space)
    for key, space in one.search_space.items():
        value = one.textbook[key]
        if isinstance(space, Choice):
            assert value in space.options
        else:
            assert isinstance(space, Float)
            assert space.low <= value <= space.high


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match=r"'resnet'.*koalarization, unet, cgan"):
        architecture("resnet")


def test_a_name_is_given_once():
    with pytest.raises(ModelError, match="'unet'"):
        register(architecture("unet"))


def test_missing_and_unknown_hyperparameters_are_refused():
    for given in ({}, {"learning_rate": 1e-3, "momentum": 0.9}):
        with pytest.raises(ModelError, match="learning_rate"):
            seeded_build(architecture("unet"), ModelSettings(width=4), given, CPU, 0)


def test_the_recipe_may_be_searched():
    one, given = architecture("unet"), {"learning_rate": 1e-3, "weight_decay": 0.25, "schedule": "cosine"}
    learner = seeded_build(one, ModelSettings(width=4, recipe=Recipe(ema=0.9)), given, CPU, 0)
    assert learner.recipe == Recipe(ema=0.9, weight_decay=0.25, schedule="cosine")
    assert learner.optimizers["generator"].param_groups[0]["weight_decay"] == 0.25


def test_the_discriminator_is_the_original_one_unless_a_study_searches_it():
    one = architecture("cgan")
    assert set(one.optional) == set(one.defaults) == {"discriminator"}
    built = [
        seeded_build(one, ModelSettings(width=4), {**one.textbook, **given}, CPU, 0)
        for given in ({}, {"discriminator": "image"}, {"discriminator": "patch"})
    ]
    kinds = [type(learner.modules["discriminator"]) for learner in built]
    assert kinds == [Discriminator, Discriminator, PatchDiscriminator]
    with pytest.raises(ModelError, match="'pixel'"):
        seeded_build(one, ModelSettings(width=4), {**one.textbook, "discriminator": "pixel"}, CPU, 0)


def test_the_first_trials_fit_what_the_networks_predict():
    rates = {target: architecture("cgan").first_trials(target)[0] for target in ("rgb", "luma_kept")}
    assert rates["rgb"] == architecture("cgan").textbook
    assert rates["luma_kept"] == {
        **rates["rgb"],
        "learning_rate": 1e-3,
        "discriminator_learning_rate": 1e-3,
    }
    assert [trial["generator_init"] for trial in architecture("cgan").first_trials()] == ["scratch", "unet"]


def test_a_plugin_file_adds_an_architecture(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(name="mine"))
    load_plugin(str(path))
    load_plugin(str(path))
    one = architecture("mine")
    learner = seeded_build(one, ModelSettings(width=4), one.textbook, CPU, 0)
    assert set(learner.train_step(images())) == {"loss"}


def test_a_plugin_module_adds_an_architecture(tmp_path, monkeypatch):
    (tmp_path / "my_colour_models.py").write_text(PLUGIN.format(name="from_module"))
    monkeypatch.syspath_prepend(tmp_path)
    load_plugin("my_colour_models")
    assert "from_module" in known()


def test_bad_plugins_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"none\.py does not exist"):
        load_plugin(str(tmp_path / "none.py"))
    with pytest.raises(ModelError, match=r"no_such_package\.models cannot be imported"):
        load_plugin("no_such_package.models")
    (tmp_path / "idle.py").write_text("x = 1\n")
    with pytest.raises(ModelError, match=r"idle\.py registers nothing"):
        load_plugin(str(tmp_path / "idle.py"))
    for broken in ("def\n", "import no_such_package\n", "1 / 0\n"):
        (tmp_path / "broken.py").write_text(broken)
        with pytest.raises(ModelError, match=r"broken\.py cannot be imported"):
            load_plugin(str(tmp_path / "broken.py"))


def test_models_need_neither_ray_nor_optuna_nor_mlflow():
    code = (
        "import sys, models.architectures, models.training, models.checkpoint, models.vgg\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & "
        "{'ray', 'optuna', 'mlflow', 'study', 'data_utils'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
