import math

import pytest

from models.architectures import Architecture, Choice, Float, Int, seeded_build
from models.errors import ModelError
from models.hyperparameters import active, check_space, from_text
from models.settings import ModelSettings
from tests.support.synthetic import CPU

SPACE = {
    "learning_rate": Float(1e-5, 1e-2),
    "dropout": Float(0, 0.5, log=False),
    "loss": Choice(("l1", "bins")),
    "bins": Int(32, 512, log=True, when={"loss": "bins"}),
    "prior": Choice(("flat", "data"), when={"loss": "bins"}),
    "mix": Float(0, 1, log=False, when={"prior": ("data",)}),
}
TEXTBOOK = {"learning_rate": 1e-3, "dropout": 0.0, "loss": "l1", "bins": 64, "prior": "data", "mix": 0.5}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Float(1.0, 0.1),
        lambda: Float(0.0, 1.0),
        lambda: Float(0.0, math.inf, log=False),
        lambda: Int(0, 8, log=True),
        lambda: Int(1, 8, step=2),
        lambda: Int(1, 9, step=2, log=True),
        lambda: Choice(()),
        lambda: Choice(("1", "two")),
        lambda: Choice((True, False)),
    ],
)
def test_impossible_ranges_and_options_are_refused(make):
    with pytest.raises(ModelError):
        make()


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (Float(1e-3, 1), [1e-3, 1, 0.5], [0, 1.1, "a"]),
        (Float(0, 1, log=False), [0, 0.0, 1], [-0.1]),
        (Int(2, 8, step=3), [2, 5, 8.0], [3, 11, "2"]),
        (Choice(("a", 3, 0.5)), ["a", 3, 0.5], ["b", 4]),
    ],
)
def test_a_kind_knows_its_values(kind, inside, outside):
    assert all(kind.contains(value) for value in inside)
    assert not any(kind.contains(value) for value in outside)


def test_a_position_is_measured_on_the_scale():
    assert Float(1e-4, 1e-2).position(1e-3) == pytest.approx(0.5)
    assert Float(0, 4, log=False).position(1) == 0.25
    assert Int(1, 16, log=True).position(4) == pytest.approx(0.5)
    assert Int(3, 3).position(3) == 0


@pytest.mark.parametrize("value", [3, 3.0, 1e-12, 0.1 + 0.2, -4, "scratch", "3x"])
def test_what_a_record_keeps_as_text_is_read_as_what_it_was(value):
    assert from_text(str(value)) == value
    assert type(from_text(str(value))) is type(value)


def test_a_hyperparameter_exists_where_its_conditions_hold_and_their_choices_exist():
    assert list(active(SPACE, TEXTBOOK)) == ["learning_rate", "dropout", "loss"]
    assert list(active(SPACE, {**TEXTBOOK, "loss": "bins"})) == list(SPACE)
    assert "mix" not in active(SPACE, {**TEXTBOOK, "loss": "bins", "prior": "flat"})


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"missing": "a"}, "missing"),
        ({"rate": "a"}, "rate"),
        ({"choice": "b"}, "choice"),
        ({"late": "a"}, "late"),
    ],
)
def test_a_condition_that_cannot_be_decided_is_refused_by_name(condition, named):
    space = {
        "rate": Float(1, 2),
        "choice": Choice(("a",)),
        "dependent": Int(1, 2, when=condition),
        "late": Choice(("a",)),
    }
    with pytest.raises(ModelError, match=f"dependent depends on {named}"):
        check_space(space)


def test_the_textbook_has_a_value_for_all_and_uses_those_that_exist():
    built = []
    one = Architecture(
        "mine", lambda _settings, given, _device: built.append(given), SPACE, TEXTBOOK, stride=1
    )
    first = {"learning_rate": 1e-3, "dropout": 0.0, "loss": "l1"}
    assert one.first_trials() == [first]
    for given in (TEXTBOOK, first):
        seeded_build(one, ModelSettings(), given, CPU, 0)
    assert built == [first, first]
    with pytest.raises(ModelError, match="bins"):
        seeded_build(one, ModelSettings(), {**first, "loss": "bins"}, CPU, 0)


@pytest.mark.parametrize("changed", [{"dropout": 0.6}, {"loss": "l2"}, {"more": 1}])
def test_a_textbook_outside_the_space_is_refused(changed):
    with pytest.raises(ModelError, match="textbook of mine"):
        Architecture("mine", lambda *_: None, SPACE, {**TEXTBOOK, **changed}, stride=1)
