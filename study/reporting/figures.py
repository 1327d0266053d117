"""Small figures of one pair of axes each, so that they flow with the page's width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from study.reporting.interactive.plot import (
    CHOICE,
    CHOSEN_TRIAL,
    Spec,
    decades,
    field,
    number,
    plot,
    printed,
    said,
    whole,
)
from study.reporting.interactive.trial_table import state_word
from study.search.trial_spec import TrialState

PALETTE = ("#d0741c", "#3d7fc4", "#2f9a6b", "#a35bb5", "#b8912a", "#c2506b")
LOG_FROM = 20.0
"""Values that differ by more than this factor are drawn on a logarithmic scale."""
_SHAPES = {
    TrialState.COMPLETE: "circle",
    TrialState.PRUNED: "circle",
    TrialState.FAIL: "M-.7,-.7L.7,.7M.7,-.7L-.7,.7",
    TrialState.RUNNING: "triangle-up",
    TrialState.WAITING: "triangle-up",
}


@dataclass(frozen=True)
class Line:
    """One curve: x and y of the same length; NaN breaks it."""

    label: str
    x: ArrayLike
    y: ArrayLike
    colour: str


@dataclass(frozen=True)
class Point:
    """One trial in a scatter plot: x is a number or an option's name, `trial` what the page calls it."""

    x: float | str
    y: float
    state: TrialState
    trial: str


def colours(names: Sequence[str], first: int = 0) -> dict[str, str]:
    """A colour for each architecture, the same in every figure; `first` is the first one's place in the palette."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names, first)}


def curves(
    name: str, lines: Sequence[Line], xlabel: str, ylabel: str, *, counted: bool = False, steps: bool = False
) -> Markup:
    """Curves in one pair of axes; a legend where labels differ; a log scale where values span decades.

    Args:
        name: For those who cannot see the figure.
        lines: At least one point each; those without a label are numbered.
        xlabel: Of the x axis.
        ylabel: Of the y axis.
        counted: Whether x counts something, so that its ticks are whole numbers.
        steps: Whether y stays until the next x.
    """
    labels = [line.label or f"number {place}" for place, line in enumerate(lines)]
    values = [
        {"x": number(x), "y": number(y), "of": label}
        for label, line in zip(labels, lines, strict=True)
        for x, y in np.column_stack([line.x, line.y])
    ]
    finite = [one["y"] for one in values if isinstance(one["y"], float)]
    spans = bool(finite) and min(finite) > 0 and max(finite) > LOG_FROM * min(finite)
    legend: Spec | None = {} if any(line.label for line in lines) else None
    x = field(
        "x", xlabel, **(whole([float(x) for line in lines for x in np.ravel(line.x)]) if counted else {})
    )
    shown = [said("x", xlabel, ",.6~g"), said("y", ylabel, ".4~g")]
    mark: Spec = {"type": "line", "interpolate": "step-after" if steps else "linear"}
    visible = steps or len(finite) < len(values) or any(np.size(line.x) == 1 for line in lines)
    return plot(
        name,
        {
            "data": {"values": values},
            "encoding": {
                "x": x,
                "y": field("y", ylabel, **(decades(finite) if spans else {})),
                "color": {
                    "field": "of",
                    "type": "nominal",
                    "scale": {"domain": labels, "range": [line.colour for line in lines]},
                    "legend": legend,
                },
            },
            "layer": [
                {"mark": mark},
                _dots([said("of", "curve"), *shown] if len(lines) > 1 else shown, visible),
            ],
        },
    )


def _dots(shown: list[Spec], visible: bool) -> Spec:
    """What the pointer finds on curves: wide invisible dots, with small visible ones in them where points count."""
    size = 22 if visible else 120
    return {
        "mark": {"type": "point", "filled": True, "size": size, "opacity": 1 if visible else 0},
        "encoding": {"tooltip": shown},
    }


def scatter(
    name: str,
    points: Sequence[Point],
    xlabel: str,
    ylabel: str,
    colour: str,
    *,
    log: bool = False,
    counted: bool = False,
) -> Markup:
    """Trials by state: complete ones filled, pruned ones hollow, failed ones as crosses on the axis.

    Args:
        name: For those who cannot see the figure.
        points: At least one; x of all are numbers, or of all options.
        xlabel: Of the x axis.
        ylabel: Of the y axis.
        colour: Of the architecture.
        log: Whether x is logarithmic.
        counted: Whether x is a whole number.
    """
    numbers = [float(one.x) for one in points if not isinstance(one.x, str)]
    if numbers:
        more = decades(numbers) if log else whole(numbers) if counted else {}
        x = field("x", xlabel, **more)
    else:
        x = {"field": "x", "type": "nominal", "title": xlabel}
    return plot(
        name,
        {
            "params": [CHOICE],
            "data": {"values": _trial_rows(points)},
            "mark": {"type": "point", "strokeWidth": 1.5, "stroke": colour, "cursor": "pointer"},
            "encoding": {
                "x": x,
                "y": field("y", ylabel),
                "shape": {
                    "field": "state",
                    "type": "nominal",
                    "scale": {
                        "domain": [state_word(one) for one in _SHAPES],
                        "range": list(_SHAPES.values()),
                    },
                    "legend": None,
                },
                "fill": {
                    "condition": {"test": "datum.state === 'complete'", "value": colour},
                    "value": "transparent",
                },
                "size": {"condition": {"test": CHOSEN_TRIAL, "value": 190}, "value": 42},
                "tooltip": [
                    said("trial", "trial"),
                    said("state", "state"),
                    said("at", xlabel),
                    said("value", ylabel),
                ],
            },
        },
    )


def _trial_rows(points: Sequence[Point]) -> list[Spec]:
    finite = [one.y for one in points if math.isfinite(one.y)]
    floor = min(finite, default=0.0)
    return [
        {
            "x": one.x if isinstance(one.x, str) else number(one.x),
            "at": one.x if isinstance(one.x, str) else printed(one.x, ".4g"),
            "y": number(one.y if math.isfinite(one.y) else floor),
            "value": printed(one.y),
            "state": state_word(one.state),
            "trial": one.trial,
        }
        for one in points
    ]
