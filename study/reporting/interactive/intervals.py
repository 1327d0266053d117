"""Values with their intervals: under one another, or against the time that they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from study.reporting.interactive.plot import INK, Spec, decades, field, number, plot, printed, said

_COLOUR: Spec = {"field": "colour", "type": "nominal", "scale": None}
_BAR = [said("of", "model"), said("value", "mean", ".2f"), said("interval", "95 % interval")]


@dataclass(frozen=True)
class Bar:
    """A value with its interval in a forest plot."""

    label: str
    value: float
    low: float
    high: float
    colour: str


def forest(name: str, bars: Sequence[Bar], xlabel: str) -> Markup:
    """Values with their intervals under one another; the axis ends where the values do.

    Args:
        name: For those who cannot see the figure.
        bars: At least one; a bar without colour is hollow.
        xlabel: Of the x axis.
    """
    values = [bar.value for bar in bars]
    low = min([*values, *(bar.low for bar in bars if math.isfinite(bar.low))])
    high = max([*values, *(bar.high for bar in bars if math.isfinite(bar.high))])
    room = 0.06 * max(high - low, 1e-9)
    ends = [number(max(low - room, 0.0)), number(min(high + room, 1.5 * max(values)))]
    x = field("value", xlabel, scale={"domain": ends, "nice": False, "zero": False})
    y = {
        "field": "of",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 150, "grid": True},
    }
    return plot(
        name,
        {
            "data": {"values": [_bar(bar) for bar in bars]},
            "encoding": {"y": y, "tooltip": _BAR},
            "layer": [
                {
                    "transform": [{"filter": "isValid(datum.low)"}],
                    "mark": {"type": "rule", "strokeWidth": 3, "clip": True},
                    "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": _COLOUR},
                },
                {
                    "mark": {"type": "point", "size": 45, "strokeWidth": 1.5},
                    "encoding": {"x": x, "stroke": _COLOUR, "fill": {**_COLOUR, "field": "fill"}},
                },
            ],
        },
        height=max(90, 50 + 24 * len(bars)),
    )


def _bar(bar: Bar) -> dict[str, float | str | None]:
    sure = math.isfinite(bar.low)
    return {
        "of": bar.label,
        "value": number(bar.value),
        "low": number(bar.low),
        "high": number(bar.high),
        "interval": f"{printed(bar.low)} to {printed(bar.high)}" if sure else "–",
        "colour": bar.colour or INK,
        "fill": bar.colour or "transparent",
    }


def against_time(name: str, points: Sequence[tuple[float, Bar]], xlabel: str, ylabel: str) -> Markup:
    """Values with their intervals over a logarithmic axis of time; x > 0."""
    labels = {bar.label: bar.colour for _, bar in points}
    x = field("x", xlabel, **decades([time for time, _ in points]))
    colour = {
        "field": "of",
        "type": "nominal",
        "scale": {"domain": list(labels), "range": list(labels.values())},
    }
    return plot(
        name,
        {
            "data": {"values": [_bar(bar) | {"x": number(time)} for time, bar in points]},
            "encoding": {"x": x, "color": colour, "tooltip": [*_BAR, said("x", xlabel, ".3~g")]},
            "layer": [
                {
                    "transform": [{"filter": "isValid(datum.low)"}],
                    "mark": {"type": "rule", "strokeWidth": 1.5},
                    "encoding": {"y": field("low", ylabel), "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 45},
                    "encoding": {"y": field("value", ylabel)},
                },
            ],
        },
    )
