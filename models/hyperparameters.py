"""The kinds of hyperparameters that an architecture can have, and which of them a configuration needs.

Example: a regularised network whose colour bins are searched only where the loss needs them.

    {
        "learning_rate": Float(1e-5, 1e-2),
        "dropout": Float(0, 0.5, log=False),
        "loss": Choice(("l1", "bins")),
        "bins": Int(32, 512, log=True, when={"loss": "bins"}),
    }
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.errors import ModelError

Value = float | int | str
Parameters = Mapping[str, Value]
Condition = Mapping[str, Value | tuple[Value, ...]]


@dataclass(frozen=True)
class Float:
    """A real hyperparameter between `low` and `high`.

    Attributes:
        log: Whether it is searched on a logarithmic scale; `low` is then above 0.
        when: Options of choices listed before it that must have been taken for it to exist; several as a tuple.

    Raises:
        ModelError: The range is empty or not finite, or its scale impossible.
    """

    low: float
    high: float
    log: bool = True
    when: Condition = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_range(self)

    def contains(self, value: Value) -> bool:
        """Whether it can have this value."""
        return not isinstance(value, str) and self.low <= value <= self.high

    def position(self, value: float) -> float:
        """Where a value lies in the range on its scale: 0 at `low`, 1 at `high`."""
        return _position(self, value)


@dataclass(frozen=True)
class Int:
    """A whole number between `low` and `high`.

    Attributes:
        log: Whether it is searched on a logarithmic scale; `low` is then at least 1, and `step` is 1.
        step: Distance of neighbouring values, counted from `low`; it divides the range.
        when: See `Float`.

    Raises:
        ModelError: The range is empty, or scale and step do not fit it.
    """

    low: int
    high: int
    log: bool = False
    step: int = 1
    when: Condition = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_range(self)
        if self.step < 1 or (self.high - self.low) % self.step or (self.log and self.step > 1):
            raise ModelError(
                f"The step {self.step} must divide the range {self.low} … {self.high}, and be 1 on a logarithmic scale."
            )

    def contains(self, value: Value) -> bool:
        """Whether it can have this value."""
        return (
            not isinstance(value, str)
            and self.low <= value <= self.high
            and (value - self.low) % self.step == 0
        )

    def position(self, value: float) -> float:
        """Where a value lies in the range on its scale: 0 at `low`, 1 at `high`."""
        return _position(self, value)


@dataclass(frozen=True)
class Choice:
    """A hyperparameter that takes one of `options`, in no order: texts or numbers.

    Attributes:
        when: See `Float`.

    Raises:
        ModelError: There is no option, or a text reads as a number, as which a study's record would give it back.
    """

    options: tuple[Value, ...]
    when: Condition = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.options:
            raise ModelError("A choice needs at least one option.")
        for option in self.options:
            if isinstance(option, bool) or (
                isinstance(option, str) and not isinstance(from_text(option), str)
            ):
                raise ModelError(
                    f"The option {option!r} of a choice must be a number, or a text that is none."
                )

    def contains(self, value: Value) -> bool:
        """Whether it can have this value."""
        return value in self.options


Kind = Float | Int | Choice
Space = Mapping[str, Kind]


def from_text(text: str) -> Value:
    """The value that was written as `text`: a whole number, a real one, or the text itself."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def active(space: Space, values: Parameters) -> dict[str, Kind]:
    """The hyperparameters that exist where `values` are taken: all but those whose condition does not hold.

    Args:
        space: Choices before what depends on them.
        values: May hold more, and need not hold all.
    """
    found: dict[str, Kind] = {}
    for name, kind in space.items():
        if all(one in found and values.get(one) in _several(wanted) for one, wanted in kind.when.items()):
            found[name] = kind
    return found


def check_space(space: Space) -> None:
    """Refuse conditions that cannot be decided.

    Raises:
        ModelError: A condition names something that is no choice listed before, or an option that it does not have.
    """
    before: dict[str, Kind] = {}
    for name, kind in space.items():
        for one, wanted in kind.when.items():
            parent = before.get(one)
            if not isinstance(parent, Choice) or not set(_several(wanted)) <= set(parent.options):
                raise ModelError(
                    f"The hyperparameter {name} depends on {one} being {wanted}, so {one} must be a choice with that "
                    "option and stand before it."
                )
        before[name] = kind


def _several(wanted: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _check_range(kind: Float | Int) -> None:
    if not (math.isfinite(kind.low) and math.isfinite(kind.high) and kind.low <= kind.high):
        raise ModelError(
            f"The range {kind.low} … {kind.high} must go from a finite number up to a finite one."
        )
    if kind.log and kind.low <= 0:
        raise ModelError(f"The range {kind.low} … {kind.high} is logarithmic, so it must begin above 0.")


def _position(kind: Float | Int, value: float) -> float:
    if kind.low == kind.high:
        return 0.0
    if kind.log:
        return math.log(value / kind.low) / math.log(kind.high / kind.low)
    return (value - kind.low) / (kind.high - kind.low)
