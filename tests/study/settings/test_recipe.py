"""The recipe, the budget in images, and what a study leaves out."""

import pytest

from models.settings import ModelSettings
from study.errors import UsageError
from study.settings.fitting import without_untrained_encoders
from study.settings.flags import nested_flags
from study.settings.schema import StudySettings
from study.settings.sections.recipe import network_settings
from study.settings.sources import load_settings, preset_or_file
from study.settings.space import first_trials, searched

FOLDERS = {"scenes": {"root": "a"}, "fruit": {"root": "b"}}


def preset(name, *words, datasets=FOLDERS):
    return load_settings(preset_or_file(name), nested_flags(words), datasets)


def drawn(**changed):
    return StudySettings(**{"datasets": {"fruit": {"root": "drawn:fruit"}}, **changed})


@pytest.mark.parametrize("name", ["poster", "demo"])
def test_poster_and_demo_keep_the_original_training_and_architectures(name):
    chosen = preset(name)
    assert chosen.architectures == ["koalarization", "unet", "cgan"]
    plain = network_settings(chosen)
    assert (plain.target, plain.recipe) == (ModelSettings().target, ModelSettings().recipe)
    assert chosen.training.augmentation == "flip"


def test_a_study_from_before_there_was_a_recipe_has_the_original_one():
    study = drawn()
    stored = study.model_dump(mode="json")
    del stored["training"], stored["budget"]["images"], stored["datasets"]["fruit"]["epochs"]
    assert StudySettings(**stored) == study


@pytest.mark.parametrize("name", ["quick", "full"])
def test_the_other_presets_train_by_what_was_measured_to_help(name):
    chosen = preset(name)
    assert "vggunet" in chosen.architectures
    networks = network_settings(chosen)
    assert (networks.target, networks.recipe.loss) == ("luma_kept", "l1")
    assert networks.recipe.ema > 0
    assert networks.recipe.schedule == "constant"  # averaged weights or a decaying rate, not both


def test_epochs_follow_from_the_images_that_a_trial_is_to_see():
    chosen = drawn(budget={"images": 5000}).with_epochs({"fruit": 120})
    assert chosen.epochs_of("fruit", "unet") == 42
    assert drawn(budget={"images": 50}).with_epochs({"fruit": 120}).epochs_of("fruit", "unet") == 1
    assert StudySettings(**chosen.model_dump(mode="json")) == chosen
    assert drawn(budget={"epochs": 7}).with_epochs({"fruit": 120}).epochs_of("fruit", "unet") == 7
    exact = drawn(budget={"images": 5000, "epochs_for": {"fruit/cgan": 3}}).with_epochs({"fruit": 120})
    assert [exact.epochs_of("fruit", name) for name in ("unet", "cgan")] == [42, 3]


def test_epochs_and_images_exclude_each_other_and_a_flag_takes_the_place_of_the_files(monkeypatch):
    with pytest.raises(UsageError, match="budget has both epochs and images"):
        preset("quick", "--budget.epochs", "3", "--budget.images", "100")
    by_epochs = preset("quick", "--budget.epochs", "3").budget
    assert (by_epochs.epochs, by_epochs.images) == (3, None)
    by_images = preset("demo", "--budget.images", "300").budget
    assert (by_images.epochs, by_images.images) == (None, 300)
    monkeypatch.setenv("STUDY_BUDGET__EPOCHS", "4")
    by_variable = preset("quick").budget
    assert (by_variable.epochs, by_variable.images) == (4, None)
    by_images = preset("quick", "--budget.images", "300").budget
    assert (by_images.epochs, by_images.images) == (None, 300)


def test_folders_given_instead_of_a_presets_datasets_keep_its_limits():
    chosen = preset("quick", datasets={"mine": {"root": "a"}})
    assert chosen.datasets["mine"].train_limit == preset("quick").datasets["fruit"].train_limit
    assert (
        preset("quick", datasets={"mine": {"root": "a", "train_limit": 9}}).datasets["mine"].train_limit == 9
    )


def test_random_vgg16_weights_leave_out_the_network_that_is_built_on_them():
    chosen, note = without_untrained_encoders(preset("quick", "--model.vgg16", "random"))
    assert chosen.architectures == ["koalarization", "unet", "cgan"]
    assert "vggunet is left out" in note
    assert "python -m study.weights" in note
    assert without_untrained_encoders(preset("quick"))[1] == ""
    with pytest.raises(UsageError, match=r"vgg16 is random.*vggunet needs pretrained weights"):
        preset("quick", "--model.vgg16", "random", "--architectures", "[vggunet]")


def test_the_recipe_may_be_searched_and_the_first_trial_has_the_studys_own():
    space = {"unet": {"weight_decay": [1e-3, 0.1], "schedule": ["constant", "cosine"], "batch_size": [4, 32]}}
    chosen = drawn(search={"space": space}, training={"weight_decay": 0.01}, model={"batch_size": 8})
    found = searched("unet", chosen.search.space["unet"], pretrained=False)
    assert list(found) == ["weight_decay", "schedule", "batch_size", "learning_rate"]
    assert found["schedule"].options == ("constant", "cosine")
    (first,) = first_trials(chosen, "unet")
    assert {name: first[name] for name in found} == {
        "weight_decay": 0.01,
        "schedule": "constant",
        "batch_size": 8,
        "learning_rate": 1e-3,
    }
    assert set(searched("unet", {}, pretrained=False)) == {"learning_rate"}


def test_networks_that_keep_the_luma_begin_with_their_own_learning_rate():
    rates = [
        first_trials(drawn(training={"target": target}), "cgan")[0]["learning_rate"]
        for target in ("rgb", "luma_kept")
    ]
    assert rates == [2e-4, 1e-3]
