"""A figure in the page: a still picture that says its name, and the specification that the script draws again."""

from __future__ import annotations

import json
import math
import re

import pytest

from study.reporting.figures import Line, Point, curves, scatter
from study.reporting.interactive.intervals import Bar, against_time, forest
from study.reporting.interactive.learning_curves import MOST_POINTS, Curve, learning_curves
from study.reporting.interactive.parallel import Axis, parallel_coordinates
from study.reporting.interactive.plot import decades, number, whole
from study.search.trial_spec import TrialState


def texts(figure: str) -> list[str]:
    return re.findall(r"<text\b[^>]*>([^<]*)</text>", figure)


def spec(figure: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure, re.S)[1])


POINTS = [
    Point(1e-5, 7.0, TrialState.COMPLETE, "0"),
    Point(1e-2, -6.5, TrialState.PRUNED, "1"),
    Point(1e-3, math.nan, TrialState.FAIL, "2"),
]
FIGURES = {
    "curves": curves("f</script>", [Line("a", [1, 2], [-3, math.nan], "#123456")], "epoch", "loss"),
    "scatter": scatter("s", POINTS, "rate", "value", "#123456", log=True),
    "forest": forest("o", [Bar("unet", 5, 4, 6, "#123456"), Bar("(grey)", 9, math.nan, math.nan, "")], "ΔE"),
    "time": against_time("t", [(3.0, Bar("unet", 5, math.nan, math.nan, "#123456"))], "ms", "ΔE"),
    "learning": learning_curves("l", [Curve("0", "complete", [(1, 3.0), (2, 2.0)])], "ΔE", "#123456"),
    "parallel": parallel_coordinates(
        "p",
        [Axis("rate", [1e-5, 1e-2], log=True), Axis("start", ["a", None]), Axis("ΔE", [-1.5, None])],
        ["0", "1"],
        ["complete", "failed"],
        "#123456",
    ),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_a_figure_has_a_name_and_needs_nothing_from_elsewhere(figure):
    assert re.search(r'<svg viewBox="[^"]+" role="img" aria-label="[^"]+">', figure)
    assert "http" not in figure
    assert figure.count("</script>") == 1
    assert spec(figure)["data" if "data" in spec(figure) else "layer"]


def test_numbers_have_a_real_minus_and_labels_keep_their_digits():
    shown = texts(FIGURES["scatter"])
    assert "1e−5" in shown
    assert not any("-" in text for text in shown)
    assert "−1.5" in texts(FIGURES["parallel"])


def test_what_is_no_number_is_not_drawn():
    assert number(math.nan) is None
    assert number(-math.inf) is None
    assert number(0.123456789) == 0.123457
    states = {one["trial"]: one["value"] for one in spec(FIGURES["scatter"])["data"]["values"]}
    assert states == {"0": "7.00", "1": "−6.50", "2": "–"}


def test_a_logarithmic_axis_names_powers_of_ten():
    assert decades([1e-12, 1e-3])["axis"]["values"] == pytest.approx([1e-12, 1e-10, 1e-8, 1e-6, 1e-4])
    assert "values" not in decades([2.0, 3.0])["axis"]


@pytest.mark.parametrize(
    ("values", "ticks"), [([1, 3], [1, 2, 3]), ([0, 0], [0]), ([1, 150], [50, 100, 150]), ([7], [7])]
)
def test_counted_things_have_whole_numbers_once_each(values, ticks):
    assert whole(values)["axis"]["values"] == ticks


def test_long_curves_are_thinned_and_keep_their_end():
    points = [(epoch, float(epoch)) for epoch in range(1, 1001)]
    row = spec(learning_curves("n", [Curve("0", "complete", points)], "ΔE", "#123456"))["data"]["values"][0]
    assert len(row["epoch"]) <= MOST_POINTS
    assert row["epoch"][-1] == 1000


def test_an_axis_places_numbers_by_its_scale_and_options_apart():
    axis = Axis("rate", [1e-4, 1e-2], log=True)
    assert axis.height(1e-3) == pytest.approx(0.5)
    assert Axis("start", ["a", "b"]).height("b") == 0.75
    assert Axis("same", [2.0, 2.0]).ticks == [(0.5, "2")]


def test_an_axis_spells_all_its_numbers_alike():
    def ends(*values: float) -> list[str]:
        ticks = Axis("a", values, log=True).ticks
        return [ticks[0][1], ticks[-1][1]]

    assert ends(1e-4, 1e-2) == ["1.0e−4", "1.0e−2"]
    assert ends(1e-4, 100.0) == ["0.0001", "100"]
    assert Axis("decay", [0.0, 5e-4]).text(0.0) == "0"


def test_a_label_at_the_end_of_an_axis_is_not_cut_off():
    points = [Point(x, 1.0, TrialState.COMPLETE, "0") for x in (1e-4, 9.2e-3)]
    drawn = scatter("n", points, "rate", "ΔE", "#123456", log=True)
    last = re.search(r"<text([^>]*)>1e−2<", drawn)
    assert last
    assert 'text-anchor="end"' in last[1]
