"""`search.space`: ranges and options of single hyperparameters, for every kind of them."""

from dataclasses import replace

import pytest

from models.architectures import ARCHITECTURES, Choice, Float, Int
from study.errors import UsageError
from study.settings.sources import load_settings, preset_or_file
from study.settings.space import searched
from tests.support.conditional import CONDITIONAL
from tests.support.tables import restored


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    restored(monkeypatch, ARCHITECTURES)
    ARCHITECTURES.register(CONDITIONAL)


def settings(space, **search):
    flags = {"architectures": ["conditional"], "search": {"space": {"conditional": space}, **search}}
    return load_settings(preset_or_file("demo"), flags)


def test_every_kind_can_be_narrowed_and_keeps_scale_step_and_condition():
    given = {
        "learning_rate": ["1e-4", 1e-3],
        "dropout": [0, 1],
        "layers": [4, 8],
        "loss": ["bins"],
        "bins": [64, 64],
    }
    ranges = settings(given).search.space["conditional"]
    assert ranges == {**given, "learning_rate": [1e-4, 1e-3]}
    assert [type(value) for value in ranges["layers"]] == [int, int]
    assert searched("conditional", ranges, pretrained=False) == {
        "learning_rate": Float(1e-4, 1e-3),
        "dropout": Float(0.0, 1.0, log=False),
        "layers": Int(4, 8, step=2),
        "loss": Choice(("bins",)),
        "bins": Int(64, 64, log=True, when={"loss": "bins"}),
    }


def test_settings_that_were_written_are_read_as_they_were():
    before = settings({"dropout": [0, 1], "layers": [2, 4], "loss": ["l1"]})
    after = type(before)(**before.model_dump(mode="json"))
    assert after == before


@pytest.mark.parametrize(
    ("parameter", "values", "named"),
    [
        ("learning_rate", [0, 1e-3], "must begin above 0"),
        ("learning_rate", ["small", 1e-3], "two numbers"),
        ("dropout", [-0.1, 0.5], "at or above 0"),
        ("dropout", [0.5, 0.1], "two numbers"),
        ("layers", [2, 4, 6], "two numbers"),
        ("layers", [2, 4.5], "two whole numbers"),
        ("layers", [2, 5], "a multiple of 2 apart"),
        ("loss", ["l2"], "some of l1, bins"),
        ("loss", [], "some of l1, bins"),
        ("colour", [1, 2], "no parameter of conditional"),
    ],
)
def test_what_does_not_fit_the_kind_is_refused_by_name(parameter, values, named):
    with pytest.raises(UsageError, match=rf"search\.space\.conditional\.{parameter}.*{named}"):
        settings({parameter: values})


def test_without_a_pretrained_network_its_option_is_left_out_even_if_it_was_the_only_one():
    assert searched("cgan", {}, pretrained=True)["generator_init"].options == ("scratch", "unet")
    assert searched("cgan", {}, pretrained=False)["generator_init"].options == ("scratch",)
    assert searched("cgan", {"generator_init": ["unet"]}, pretrained=False)["generator_init"].options == (
        "scratch",
    )


def test_a_sampler_that_would_propose_nothing_is_refused(monkeypatch):
    only = {"loss": CONDITIONAL.search_space["loss"]}

    ARCHITECTURES.register(replace(CONDITIONAL, name="chooser", search_space=only, textbook={"loss": "l1"}))
    with pytest.raises(UsageError, match=r"search\.sampler is cmaes.*chooser \(loss\)"):
        load_settings(preset_or_file("demo"), {"architectures": ["chooser"], "search": {"sampler": "cmaes"}})
