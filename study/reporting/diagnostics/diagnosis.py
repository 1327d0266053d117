"""An observation put to the test, and what was measured of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from study.statistics import Decision, Interval


@dataclass(frozen=True)
class Measurement:
    """What this study measured in one cell, or between cells.

    Attributes:
        where: Dataset and architecture.
        value: The number with its interval, in words.
        verdict: By the diagnosis's threshold.
        remark: What else a reader should know; may be empty.
    """

    where: str
    value: str
    verdict: Decision
    remark: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """One of the original observations, put to the test.

    Attributes:
        title: What it is about.
        originally: What was observed before this study.
        rule: What is measured and when it counts as seen.
        rows: One per cell; empty if nothing could be measured.
    """

    title: str
    originally: str
    rule: str
    rows: tuple[Measurement, ...]


def interval_text(interval: Interval) -> str:
    """A ratio with its interval."""
    if not math.isfinite(interval.value):
        return "not measurable: the truth has none"
    return f"{interval:z.2f}"
