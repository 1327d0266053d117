"""Small figures as inline SVG: one pair of axes each, so that they flow with the page's width.

Text and lines take the page's own colour, so that a figure is readable in light and in dark.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike

from study.search.trial_spec import TrialState

INK = "#010203"  # stands for the page's text colour until the SVG is written
PALETTE = ("#d0741c", "#3d7fc4", "#2f9a6b", "#a35bb5", "#b8912a", "#c2506b")
LOG_FROM = 20.0
"""Values that differ by more than this factor are drawn on a logarithmic scale."""

_STYLE: dict[Any, Any] = {
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


def colours(names: Sequence[str], first: int = 0) -> dict[str, str]:
    """A colour for each architecture, the same in every figure; `first` is the first one's place in the palette."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names, first)}


@mpl.rc_context(_STYLE)
def curves(
    name: str, lines: Sequence[Line], xlabel: str, ylabel: str, *, counted: bool = False, steps: bool = False
) -> Markup:
    """Curves in one pair of axes; a legend where labels differ; a log scale where values span decades.

    Args:
        name: For those who cannot see the figure.
        lines: At least one point each.
        xlabel: Of the x axis.
        ylabel: Of the y axis.
        counted: Whether x counts something, so that its ticks are whole numbers.
        steps: Whether y stays until the next x.
    """
    figure, axes = _axes()
    for line in lines:
        axes.plot(
            line.x,
            line.y,
            color=line.colour,
            label=line.label or None,
            drawstyle="steps-post" if steps else "default",
            marker="o" if steps or np.size(line.x) == 1 else None,
            markersize=2.5,
        )
    values = np.concatenate([np.asarray(line.y, dtype=np.float64) for line in lines])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axes.set_yscale("log")
    if counted:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    if any(line.label for line in lines):
        axes.legend(fontsize=7, handlelength=1.4)
    return _finish(figure, axes, name, xlabel, ylabel)


@mpl.rc_context(_STYLE)
def scatter(
    name: str, points: Sequence[Point], xlabel: str, ylabel: str, colour: str, *, log: bool
) -> Markup:
    """Trials by state: complete ones filled, pruned ones hollow, failed ones as crosses on the axis."""
    figure, axes = _axes()
    finite = [one.y for one in points if math.isfinite(one.y)]
    floor = min(finite, default=0.0)
    for state, marker in (
        (TrialState.COMPLETE, "o"),
        (TrialState.PRUNED, "o"),
        (TrialState.FAIL, "x"),
        (TrialState.RUNNING, "^"),
    ):
        chosen = [one for one in points if one.state == state]
        axes.plot(
            [one.x for one in chosen],
            [one.y if math.isfinite(one.y) else floor for one in chosen],
            marker,
            color=colour,
            markerfacecolor=colour if state == TrialState.COMPLETE else "none",
            markersize=4.5,
        )
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=5))
    else:
        whole = all(isinstance(one.x, int) for one in points)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=whole, min_n_ticks=1))
    return _finish(figure, axes, name, xlabel, ylabel)


@mpl.rc_context(_STYLE)
def strips(name: str, groups: dict[str, list[float]], xlabel: str, ylabel: str, colour: str) -> Markup:
    """Values of a choice's options side by side."""
    figure, axes = _axes()
    for position, values in enumerate(groups.values()):
        axes.scatter([position] * len(values), values, s=16, color=colour)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_xlim(-0.6, len(groups) - 0.4)
    return _finish(figure, axes, name, xlabel, ylabel)


@mpl.rc_context(_STYLE)
def forest(name: str, bars: Sequence[Bar], xlabel: str) -> Markup:
    """Values with their intervals under one another; the axis ends where the values do.

    Args:
        name: For those who cannot see the figure.
        bars: At least one; a bar without colour is hollow.
        xlabel: Of the x axis.
    """
    figure, axes = _axes(height=0.6 + 0.24 * len(bars))
    for row, bar in enumerate(bars):
        colour = bar.colour or INK
        if math.isfinite(bar.low):
            axes.plot([bar.low, bar.high], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        face = colour if bar.colour else "none"
        axes.plot([bar.value], [row], "o", color=colour, markerfacecolor=face, markersize=4.5)
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    values = [bar.value for bar in bars]
    low = min([*values, *(bar.low for bar in bars if math.isfinite(bar.low))])
    high = max([*values, *(bar.high for bar in bars if math.isfinite(bar.high))])
    room = 0.06 * max(high - low, 1e-9)
    axes.set_xlim(max(low - room, 0.0), min(high + room, 1.5 * max(values)))
    return _finish(figure, axes, name, xlabel, "")


@mpl.rc_context(_STYLE)
def against_time(name: str, points: Sequence[tuple[float, Bar]], xlabel: str, ylabel: str) -> Markup:
    """Values with their intervals over a logarithmic axis of time; x > 0."""
    figure, axes = _axes()
    for x, bar in points:
        if math.isfinite(bar.low):
            axes.plot([x, x], [bar.low, bar.high], color=bar.colour, linewidth=1.4)
        axes.plot([x], [bar.value], "o", color=bar.colour, markersize=4.5, label=bar.label)
    axes.set_xscale("log")
    axes.legend(fontsize=7, handlelength=1.0)
    return _finish(figure, axes, name, xlabel, ylabel)


def _axes(width: float = 3.5, height: float = 2.3) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _finish(figure: Figure, axes: Axes, name: str, xlabel: str, ylabel: str) -> Markup:
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis="both", linewidth=0.4, alpha=0.25, color=INK)
    axes.set_axisbelow(True)
    buffer = io.StringIO()
    with mpl.rc_context(
        {"svg.hashsalt": name}
    ):  # names inside the SVG must differ from those of other figures
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue(), name)


def _inline(svg: str, name: str) -> Markup:
    """What matplotlib wrote without what HTML does not need: prolog, metadata, names, addresses."""
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
