"""Small figures as inline SVG: one pair of axes each, so that they flow with the page's width.

Text and lines take the page's own colour, so that a figure is readable in light and in dark.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

INK = "#010203"  # stands for the page's text colour until the SVG is written
PALETTE = ("#d0741c", "#3d7fc4", "#2f9a6b", "#a35bb5", "#b8912a", "#c2506b")
_STYLE = {
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Line:
    """One curve: x and y of the same length; NaN breaks it."""

    label: str
    x: ArrayLike
    y: ArrayLike
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Point:
    """One trial in a scatter plot."""

    x: float
    y: float
    state: str


@dataclass(frozen=True)
class Bar:
    """A value with its interval in a forest plot."""

    label: str
    value: float
    low: float
    high: float
    colour: str


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each architecture, the same in every figure."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}


def curves(
    name: str, lines: Sequence[Line], xlabel: str, ylabel: str, *, log: bool = False, steps: bool = False
) -> Markup:
    """Curves in one pair of axes; a legend where labels differ."""
    figure, axes = _axes()
    for line in lines:
        marker = "o" if np.size(line.x) == 1 else None
        axes.plot(
            line.x,
            line.y,
            color=line.colour,
            label=line.label or None,
            linestyle="--" if line.dashed else "-",
            drawstyle="steps-post" if steps else "default",
            marker=marker,
            markersize=3,
        )
    if log and all(np.nanmin(line.y, initial=math.inf) > 0 for line in lines):
        axes.set_yscale("log")
    if any(line.label for line in lines):
        axes.legend(fontsize=7, handlelength=1.4)
    return _finish(figure, axes, name, xlabel, ylabel)


def scatter(
    name: str, points: Sequence[Point], xlabel: str, ylabel: str, colour: str, *, log: bool
) -> Markup:
    """Trials by state: complete ones filled, pruned ones hollow, failed ones as crosses on the axis."""
    figure, axes = _axes()
    finite = [one.y for one in points if math.isfinite(one.y)]
    floor = min(finite, default=0.0)
    kinds = (
        ("COMPLETE", "o", colour),
        ("PRUNED", "o", "none"),
        ("FAIL", "x", colour),
        ("RUNNING", "^", "none"),
    )
    for state, marker, face in kinds:
        chosen = [one for one in points if one.state == state]
        y = [one.y if math.isfinite(one.y) else floor for one in chosen]
        filled = {"facecolors": face} if marker != "x" else {}
        axes.scatter([one.x for one in chosen], y, s=16, marker=marker, edgecolors=colour if filled else None,
                     color=None if filled else colour, linewidths=0.9, **filled)  # fmt: skip
    if log:
        axes.set_xscale("log")
    else:
        axes.xaxis.get_major_locator().set_params(integer=True)
    return _finish(figure, axes, name, xlabel, ylabel)


def strips(name: str, groups: dict[str, list[float]], xlabel: str, ylabel: str, colour: str) -> Markup:
    """Values of a choice's options side by side."""
    figure, axes = _axes()
    for position, values in enumerate(groups.values()):
        axes.scatter([position] * len(values), values, s=16, color=colour)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_xlim(-0.6, len(groups) - 0.4)
    return _finish(figure, axes, name, xlabel, ylabel)


def forest(name: str, bars: Sequence[Bar], marks: dict[str, float], xlabel: str) -> Markup:
    """Intervals under one another, with vertical lines for the trivial predictions."""
    figure, axes = _axes(height=0.75 + 0.3 * len(bars))
    for row, bar in enumerate(bars):
        if math.isfinite(bar.low):
            axes.plot([bar.low, bar.high], [row, row], color=bar.colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([bar.value], [row], "o", color=bar.colour, markersize=5)
    for label, value in marks.items():
        axes.axvline(value, color=INK, linewidth=0.7, linestyle=":")
        axes.annotate(label, (value, 1), xycoords=("data", "axes fraction"), fontsize=6.5, rotation=35, ha="left",
                      va="bottom")  # fmt: skip
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    return _finish(figure, axes, name, xlabel, "")


def _axes(width: float = 3.5, height: float = 2.3) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def _finish(figure: Figure, axes: Axes, name: str, xlabel: str, ylabel: str) -> Markup:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(axis="both", linewidth=0.4, alpha=0.25, color=INK)
        axes.set_axisbelow(True)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue(), name)


def _inline(svg: str, name: str) -> Markup:
    """What matplotlib wrote, without everything that HTML does not need: prolog, metadata, names, addresses."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(
        r"(<svg) [^>]*?(viewBox=\"[^\"]*\")[^>]*>",
        rf'\1 \2 role="img" aria-label="{escape(name)}">',
        svg,
        count=1,
    )
    svg = re.sub(r"\n\s*", "\n", svg)
    return Markup(svg.replace(INK, "currentColor"))
