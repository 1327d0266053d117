"""The tables of two studies, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from models.metrics import OBJECTIVE
from study.compare.differences import Difference
from study.compare.results import A, Sides
from study.comparison.pairs import p_text
from study.comparison.table import interval_text
from study.statistics import Interval

_CAPTION = (
    "Mean test objective with its 95 % interval in each study; then, where both studies have the test images, the "
    "second's mean minus the first's on these, with its interval and the p-value of no difference. Each row is tested "
    "by itself."
)


def differences_table(title: str, titles: tuple[str, str], differences: Sequence[Difference]) -> Table:
    """One row per value that differs."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0)
    for heading in ("", *titles):
        table.add_column(heading, overflow="fold")
    for one in differences:
        table.add_row(*one)
    return table


def results_table(titles: tuple[str, str], rows: Sequence[Sides]) -> Table:
    """One row per architecture and dataset."""
    table = Table(title="Results on the test split", box=box.SIMPLE_HEAD, padding=0, caption=_CAPTION)
    for heading in ("cell", *titles, "difference", ""):
        table.add_column(heading, overflow="fold", no_wrap=heading == "cell")
    for one in rows:
        sides = [_text(side) for side in (one.a, one.b)]
        table.add_row(f"{one.dataset}/{one.architecture}", *sides, *_difference(one))
    return table


def _text(one: Interval | None) -> str:
    return "" if one is None else interval_text(OBJECTIVE, one)


def _difference(one: Sides) -> tuple[str, str]:
    if one.verdict is None:
        return "", one.why_not
    found = one.verdict.difference  # of the lower side to the other one
    shown = -found if one.verdict.a == A else found
    return f"{shown:+z.2f}", f"{p_text(one.verdict.p_value)}, {one.images} images"
