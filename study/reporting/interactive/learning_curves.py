"""The learning curves of a cell's trials in one figure, of which the reader chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from study.reporting.interactive.plot import CHOICE, CHOSEN_TRIAL, field, number, plot, said, whole

MOST_POINTS = 120
"""Points of a curve that is drawn; of a longer one every second, third, … is left out, never the last."""


@dataclass(frozen=True)
class Curve:
    """One trial's values by epoch, at least one."""

    trial: str
    state: str
    points: Sequence[tuple[int, float]]


def learning_curves(name: str, curves: Sequence[Curve], ylabel: str, colour: str) -> Markup:
    """All curves thin, the chosen one thick.

    Args:
        name: For those who cannot see the figure.
        curves: At least one.
        ylabel: What is measured after each epoch.
        colour: Of the architecture.
    """
    rows = [_row(one) for one in curves]
    epochs = [epoch for one in curves for epoch, _ in one.points]
    shown = [
        said("trial", "trial"),
        said("state", "state"),
        said("epoch", "epoch"),
        said("y", ylabel, ".2f"),
    ]
    strong = {"condition": {"test": CHOSEN_TRIAL, "value": 3.5}, "value": 1.2}
    clear = {"condition": {"test": f"{CHOSEN_TRIAL} || chosen === null", "value": 0.9}, "value": 0.25}
    return plot(
        name,
        {
            "params": [CHOICE],
            "data": {"values": rows},
            "transform": [{"flatten": ["epoch", "y"]}],
            "encoding": {
                "x": field("epoch", "epoch", **whole(epochs)),
                "y": field("y", ylabel),
                "detail": {"field": "trial"},
            },
            "layer": [
                {
                    "mark": {"type": "line", "stroke": colour, "cursor": "pointer"},
                    "encoding": {"size": strong, "opacity": clear},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0, "cursor": "pointer"},
                    "encoding": {"tooltip": shown},
                },
            ],
        },
    )


def _row(curve: Curve) -> Mapping[str, object]:
    step = -(-len(curve.points) // MOST_POINTS)
    kept = list(curve.points)[::-step][::-1]  # counted from the end, which is never left out
    return {
        "trial": curve.trial,
        "state": curve.state,
        "epoch": [epoch for epoch, _ in kept],
        "y": [number(value) for _, value in kept],
    }
