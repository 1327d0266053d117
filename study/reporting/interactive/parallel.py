"""Parallel coordinates: a search's trials as lines through their hyperparameters to the value they reached.

A. Inselberg: "The plane with parallel coordinates", The Visual Computer 1, 1985.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from study.reporting.interactive.plot import (
    CHOICE,
    CHOSEN_TRIAL,
    INK,
    WIDTH,
    Spec,
    number,
    plot,
    printed,
    said,
)

_TICKS = 5


@dataclass(frozen=True, eq=False)
class Axis:
    """One upright axis.

    Attributes:
        label: Below it.
        values: One per trial, numbers or options; None where the trial has none, which its line leaves out.
        log: Whether it is logarithmic; its numbers are positive then.
    """

    label: str
    values: Sequence[float | str | None]
    log: bool = False

    @property
    def heading(self) -> str:
        """The label in lines that stand beside one another's."""
        return textwrap.fill(self.label, 11, break_long_words=False)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Heights in [0, 1] and what stands there: the options, or numbers at equal steps."""
        if self._options:
            return [(self.height(one), one) for one in self._options]
        low, high = self._ends
        if low == high:
            return [(0.5, self.text(self._from(low)))]
        steps = [place / (_TICKS - 1) for place in range(_TICKS)]
        return [(step, self.text(self._from(low + step * (high - low)))) for step in steps]

    def height(self, value: float | str) -> float:
        """Where a value lies, 0 at the bottom and 1 at the top."""
        if isinstance(value, str):
            return (self._options.index(value) + 0.5) / len(self._options)
        low, high = self._ends
        return 0.5 if low == high else (self._to(value) - low) / (high - low)

    def text(self, value: float | str) -> str:
        """A value as this axis spells it: all of its numbers with exponents, or none."""
        if isinstance(value, str):
            return value
        sizes = [abs(one) for one in self.values if isinstance(one, int | float) and one]
        small = value and max(sizes) < 1 and min(sizes) < 1e-3
        return printed(value, ".1e" if small else ".3g").replace("e−0", "e−")

    @property
    def _options(self) -> list[str]:
        return sorted({one for one in self.values if isinstance(one, str)})

    @property
    def _ends(self) -> tuple[float, float]:
        numbers = [self._to(one) for one in self.values if isinstance(one, int | float)]
        return min(numbers), max(numbers)

    def _to(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def _from(self, value: float) -> float:
        return 10**value if self.log else value


def parallel_coordinates(
    name: str, axes: Sequence[Axis], trials: Sequence[str], states: Sequence[str], colour: str
) -> Markup:
    """One line per trial; complete ones are solid, others dashed, and the chosen one is thick.

    Args:
        name: For those who cannot see the figure.
        axes: At least two with a value each, from left to right; the objective last.
        trials: What the page calls the trials.
        states: How they ended, in words.
        colour: Of the architecture; the line of a trial is fainter, the higher its objective is.
    """
    headings = [axis.heading for axis in axes]
    ticks = [
        {"axis": axis.heading, "height": number(at), "text": text} for axis in axes for at, text in axis.ticks
    ]
    x: Spec = {
        "field": "axis",
        "type": "nominal",
        "scale": {"domain": headings},
        "title": None,
        "axis": {"domain": False, "ticks": False, "grid": True, "gridOpacity": 0.5, "labelOverlap": False,
                 "labelFontSize": 9, "labelExpr": "split(datum.label, '\\n')"},
    }  # fmt: skip
    y = {
        "field": "height",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [-0.04, 1.04], "nice": False},
    }
    dash = {"condition": {"test": "datum.state === 'complete'", "value": [1, 0]}, "value": [4, 3]}
    opacity = {"field": "strength", "type": "quantitative", "scale": None}
    trial_lines: Spec = {
        "data": {"values": _trial_rows(axes, trials, states)},
        "transform": [{"flatten": ["axis", "height"]}],
        "encoding": {"detail": {"field": "trial"}},
        "layer": [
            {
                "mark": {"type": "line", "stroke": colour, "cursor": "pointer"},
                "encoding": {
                    "size": {"condition": {"test": CHOSEN_TRIAL, "value": 4}, "value": 1.5},
                    "opacity": {"condition": {"test": CHOSEN_TRIAL, "value": 1}, **opacity},
                    "strokeDash": dash,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 0, "cursor": "pointer"},
                "encoding": {"tooltip": [said(name, name) for name in ("trial", "state", "values")]},
            },
        ],
    }
    scale_texts: Spec = {
        "data": {"values": ticks},
        "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 9, "color": INK},
        "encoding": {"text": {"field": "text", "type": "nominal"}},
    }
    spec = {"params": [CHOICE], "encoding": {"x": x, "y": y}, "layer": [trial_lines, scale_texts]}
    return plot(name, spec, width=max(WIDTH, 85 * len(axes)), height=240)


def _trial_rows(axes: Sequence[Axis], trials: Sequence[str], states: Sequence[str]) -> list[Spec]:
    rows = []
    for place, (trial, state) in enumerate(zip(trials, states, strict=True)):
        found = {axis: value for axis in axes if (value := axis.values[place]) is not None}
        reached = found.get(axes[-1])
        row = {
            "trial": trial,
            "state": state,
            "strength": number(0.25 if reached is None else 1 - 0.75 * axes[-1].height(reached)),
            "values": ", ".join(f"{axis.label} {axis.text(value)}" for axis, value in found.items()),
            "axis": [axis.heading for axis in found],
            "height": [number(axis.height(value)) for axis, value in found.items()],
        }
        rows.append(row)
    return rows
