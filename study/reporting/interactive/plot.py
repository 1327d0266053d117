"""From a Vega-Lite specification to a figure in the page: a picture at once, interactive where scripts run.

The picture is what printers, readers without scripts and screen readers get; the script in `figures.js` draws the same
specification again when the figure comes into view. Text and lines take the page's own colour, so that a figure is
readable in light and in dark.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

Spec = dict[str, Any]

WIDTH, HEIGHT = 340, 220
INK = "currentColor"
EDGE = 7
"""Pixels between the outermost marks and the axes' ends."""
LABEL_ROOM = 12
"""Pixels from an end of a logarithmic axis within which a label moves inwards, lest the figure's edge cut it off."""
CHOSEN = "chosen"
"""Name of the parameter that holds the trial which the reader chose; null before that."""
CHOSEN_TRIAL = f"datum.trial === {CHOSEN}"
_FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif"
_CONFIG: Spec = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "labelFontSize": 10,
        "labelOverlap": "greedy",
        "labelSeparation": 4,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": INK,
        "gridOpacity": 0.14,
    },
    "axisY": {"titlePadding": 6, "labelLimit": 150},
    "axisX": {"labelAngle": 0},
    "legend": {"title": None, "orient": "top", "labelColor": INK, "labelFontSize": 10, "labelLimit": 120},
    "line": {"strokeWidth": 1.5},
    "point": {"opacity": 1},
}


def plot(name: str, spec: Spec, *, width: int = WIDTH, height: int = HEIGHT) -> Markup:
    """A figure as markup.

    Args:
        name: What it shows, for those who cannot see it; unique in its page.
        spec: Vega-Lite without size and look.
        width: Of the picture, in pixels, axes included; the interactive figure is as wide as its place.
        height: Likewise, of both.
    """
    import vl_convert

    sized = {
        "description": name,
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 3,
        "config": _CONFIG,
        **spec,
    }
    picture = vl_convert.vegalite_to_svg(sized)
    text = json.dumps(sized, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = Markup(text.replace("<", "\\u003c"))
    return Markup(
        '<div class="plot" style="--width: {}px">{}<script type="application/json">{}</script></div>'
    ).format(width, _inline(picture, name), data)


def number(value: float) -> float | None:
    """A number as JSON can hold it, with six significant figures; None for NaN and infinities, which are not drawn."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def printed(value: float, spelled: str = ".2f") -> str:
    """A number with a real minus; – for NaN and infinities."""
    return f"{value:{spelled}}".replace("-", "−") if math.isfinite(value) else "–"


def field(name: str, title: str, **more: Any) -> Spec:
    """One quantitative channel whose axis need not hold zero."""
    return {
        "field": name,
        "type": "quantitative",
        "title": title,
        "scale": {"zero": False, "nice": False, "padding": EDGE},
        **more,
    }


def said(name: str, title: str, spelled: str = "") -> Spec:
    """One line of what is said of the mark under the pointer; `spelled` is d3's format of a number."""
    kind = {"type": "quantitative", "format": spelled} if spelled else {"type": "nominal"}
    return {"field": name, "title": title, **kind}


def decades(values: Sequence[float]) -> Spec:
    """A logarithmic axis with a label at each power of ten, where the values (> 0) span two or more of them."""
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
    spelled = "~g" if low >= -3 and high <= 4 else "~e"
    axis: Spec = {
        "format": spelled,
        "labelExpr": "replace(replace(datum.label, 'e-', 'e−'), 'e+', 'e')",
        "labelFlush": LABEL_ROOM,
    }
    if high - low < 2:
        return {"scale": {"type": "log", "nice": False, "padding": EDGE}, "axis": {**axis, "tickCount": 4}}
    powers = range(low, high + 1, math.ceil((high - low) / 6))
    return {
        "scale": {"type": "log", "nice": False, "padding": EDGE},
        "axis": {**axis, "values": [10.0**one for one in powers]},
    }


def whole(values: Sequence[float]) -> Spec:
    """A linear axis whose labels are whole numbers, at most seven."""
    low, high = math.ceil(min(values)), math.floor(max(values))
    steps = [one * 10**power for power in range(7) for one in (1, 2, 5)]
    step = next(one for one in steps if (high - low) / one <= 6)
    ticks = list(range(-(-low // step) * step, high + 1, step))
    return {"axis": {"values": ticks, "format": ",d"}}


CHOICE: Spec = {"name": CHOSEN, "value": None}


def _inline(svg: str, name: str) -> Markup:
    """The picture without what a still one does not need: invisible marks, roles, fonts, needless digits."""
    svg = re.sub(r'<(text|path)\b[^>]*? opacity="0"[^>]*?(/>|>[^<]*</\1>)', "", svg)
    svg = re.sub(r"<text\b[^>]*/>", "", svg)
    svg = re.sub(r'<path class="(?:background|foreground)"[^>]*/>', "", svg)
    svg = re.sub(
        r' (?:xmlns(?::\w+)?|aria-[\w-]+|role|class|font-family|pointer-events|version)="[^"]*"', "", svg
    )
    svg = re.sub(r' opacity="1"', "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d)\d+", r"\1", tag[0]), svg)
    svg = re.sub(r"<g>(?:</g>)", "", svg)
    head = Markup('<svg viewBox="{}" role="img" aria-label="{}">')
    box = re.search(r'viewBox="([^"]*)"', svg)
    assert box, "vl-convert writes the size of every picture"
    return head.format(box[1], name) + Markup(svg[svg.index(">") + 1 :])
