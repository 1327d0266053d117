from pathlib import Path

import pytest

from study.errors import UsageError
from study.settings.flags import nested_flags
from study.settings.sources import load_settings, preset_names, preset_or_file


def settings(*words: str):
    return load_settings(preset_or_file("demo"), nested_flags(words))


def test_flags_win_over_environment_and_environment_over_file(monkeypatch):
    assert settings().budget.trials == 3
    monkeypatch.setenv("STUDY_BUDGET__TRIALS", "7")
    assert settings().budget.trials == 7
    assert settings("--budget.trials", "9").budget.trials == 9


def test_a_flag_takes_its_value_behind_an_equals_sign_and_lists_as_yaml():
    chosen = settings("--model.image_size=64", "--architectures", "[unet]")
    assert (chosen.model.image_size, chosen.architectures) == (64, ["unet"])


def test_a_range_may_be_written_without_points_which_yaml_takes_for_text():
    chosen = settings("--search.space.cgan", "{learning_rate: [1e-4, 1e-2], generator_init: [scratch]}")
    assert chosen.search.space["cgan"] == {"learning_rate": [1e-4, 1e-2], "generator_init": ["scratch"]}


def test_every_preset_is_valid_once_its_folders_are_given():
    for name in preset_names():
        flags = {} if name == "demo" else {"datasets": {"scenes": {"root": "a"}, "fruit": {"root": "b"}}}
        assert load_settings(preset_or_file(name), flags).name == name


def test_the_poster_preset_keeps_the_original_protocol():
    flags = {"datasets": {"scenes": {"root": "a"}, "fruit": {"root": "b"}}}
    poster = load_settings(preset_or_file("poster"), flags)
    epochs = {(d, a): poster.epochs_of(d, a) for d in poster.datasets for a in poster.architectures}
    assert epochs.pop(("scenes", "koalarization")) == epochs.pop(("scenes", "unet")) == 150
    assert set(epochs.values()) == {100}
    assert (poster.model.image_size, poster.model.width, poster.budget.trials) == (224, 64, 20)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--budget.trails", "4"], "did you mean budget.trials"),
        (["--budget.trials", "0"], "budget.trials is 0"),
        (["--model.image_size", "50"], "multiple of"),
        (["--architectures", "[unet, pix2pix]"], "pix2pix"),
        (["--architectures", "[unet, unet]"], "twice"),
        (["--search.space.unet.learning_rate", "[1]"], "search.space.unet.learning_rate"),
        (["--search.space.unet.momentum", "[0.1, 0.9]"], "momentum"),
        (["--budget.epochs_for", "{a/b: 3}"], "a/b"),
        (["--ledger", "postgresql://me:secret@db/x"], "PGPASSWORD"),
        (["--name", "a/b"], "name is 'a/b'"),
        (["stray"], "stray"),
        (["--budget.trials"], "needs a value"),
        (["--budget", "3", "--budget.trials", "3"], "budget"),
        (["--plugins", "[nowhere.py]"], "nowhere.py"),
    ],
)
def test_what_cannot_be_is_refused_by_name(words, named):
    with pytest.raises(UsageError) as refusal:
        settings(*words)
    assert named in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_misspelt_environment_variable_is_refused(monkeypatch):
    monkeypatch.setenv("STUDY_BUGDET__TRIALS", "7")
    with pytest.raises(UsageError, match="STUDY_BUGDET__TRIALS"):
        settings()


def test_an_unreadable_file_is_named(tmp_path: Path):
    file = tmp_path / "broken.yaml"
    file.write_text("datasets: [")
    with pytest.raises(UsageError, match=r"broken\.yaml"):
        load_settings(file, {})
    with pytest.raises(UsageError, match="neither a preset"):
        preset_or_file("no-such-preset")


def test_data_of_ones_own_takes_as_many_images_as_the_presets_would():
    settings = load_settings(preset_or_file("quick"), {}, {"mine": {"root": "drawn:fruit"}})
    assert settings.datasets["mine"].train_limit == 600
    asked = load_settings(
        preset_or_file("quick"), {"datasets": {"mine": {"train_limit": 5}}}, {"mine": {"root": "drawn:fruit"}}
    )
    assert asked.datasets["mine"].train_limit == 5


def test_the_environment_is_read_as_flags_are(monkeypatch):
    monkeypatch.setenv("STUDY_ARCHITECTURES", "[unet]")
    monkeypatch.setenv("STUDY_BUDGET__TRIALS", "7")
    monkeypatch.setenv("STUDY_BUDGET__EPOCHS", "9")
    settings = load_settings(preset_or_file("demo"), {"budget": {"epochs": 3}})
    assert settings.architectures == ["unet"]
    assert (settings.budget.trials, settings.budget.epochs) == (7, 3)
