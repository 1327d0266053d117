"""The answer: which architecture is best on a dataset, by how much, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.metrics import OBJECTIVE
from study.comparison.finals import CellEvidence, Evidence, Quantities
from study.comparison.summary import score_interval
from study.comparison.table import interval_text, number_text
from study.search.trial_spec import TrialState
from study.statistics import Comparison, Interval, compare, holm, mean_interval

SIGNIFICANT = 0.05
"""A difference counts as decided when its Holm-corrected p-value is below this."""


@dataclass(frozen=True)
class Pair:
    """The better of two architectures (a) against the worse one (b) on one dataset.

    Attributes:
        corrected: p-value by Holm over all pairs of the dataset; NaN where no test could be made.
    """

    dataset: str
    a: str
    b: str
    comparison: Comparison
    corrected: float

    @property
    def decided(self) -> bool:
        """Whether the difference is larger than luck explains."""
        return self.corrected < SIGNIFICANT


@dataclass(frozen=True)
class Answer:
    """What is known of one dataset.

    Attributes:
        pairs: All pairs of architectures that have finals.
        sentences: Three, with numbers; one that says why if there are no finals.
    """

    dataset: str
    pairs: tuple[Pair, ...]
    sentences: tuple[str, ...]


def answer(evidence: Evidence, dataset: str) -> Answer:
    """Compare all architectures of a dataset by the objective, with one another and with the trivial rows."""
    cells = sorted(evidence.of(dataset), key=lambda cell: float(cell.scores().mean()))
    if not cells:
        return Answer(dataset, (), (_no_finals(evidence, dataset),))
    pairs = compare_pairs(dataset, cells)
    trivial = {
        (cell.architecture, name): advantage(cell, quantities)
        for name, quantities in evidence.trivial(dataset).items()
        for cell in cells
    }
    sentences = (_who(cells, pairs), _beats(cells[0].architecture, trivial), _how_sure(evidence, cells))
    return Answer(dataset, tuple(pairs), sentences)


def compare_pairs(dataset: str, cells: list[CellEvidence]) -> list[Pair]:
    """Every pair once, the better one first; p-values corrected over all of them.

    Args:
        dataset: Its name.
        cells: From the lowest mean objective to the highest.
    """
    made = [(a, b, compare(a.scores(), b.scores())) for a, b in combinations(cells, 2)]
    corrected = holm([comparison.p_value for _, _, comparison in made])
    return [
        Pair(dataset, a.architecture, b.architecture, comparison, p)
        for (a, b, comparison), p in zip(made, corrected, strict=True)
    ]


def advantage(cell: CellEvidence, trivial: Quantities) -> Interval:
    """How much lower the objective is than a trivial prediction's, which has no seed of its own."""
    return mean_interval(np.asarray(trivial[OBJECTIVE], dtype=np.float64) - cell.scores())


def p_text(p: float) -> str:
    """A p-value as one reads it."""
    if math.isnan(p):
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def difference_text(interval: Interval) -> str:
    """How much lower the better side's mean is, with its interval."""
    value, low, high = -interval.value, -interval.high, -interval.low
    bounds = f" [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ""
    return f"{value:.2f}{bounds}"


def _who(cells: list[CellEvidence], pairs: list[Pair]) -> str:
    best = cells[0]
    score = interval_text(OBJECTIVE, score_interval(OBJECTIVE, best.scores()))
    if len(cells) == 1:
        return f"{best.architecture} reaches a mean ΔE₀₀ of {score}; no other architecture has finals."
    rivals = [pair for pair in pairs if pair.a == best.architecture]
    clauses = [
        f"{difference_text(pair.comparison.difference)} lower than {pair.b} "
        f"({p_text(pair.corrected)}{'' if pair.decided else ', not decided'})"
        for pair in rivals
    ]
    if all(pair.decided for pair in rivals):
        verdict = f"{best.architecture} is best: its mean ΔE₀₀ is {score}, "
    else:
        *others, last = [best.architecture, *(pair.b for pair in rivals if not pair.decided)]
        verdict = (
            f"Whether {', '.join(others)} or {last} is best is not decided; "
            f"{best.architecture} has the lowest "
            f"mean ΔE₀₀, {score}, "
        )
    return verdict + " and ".join(clauses) + "."


def _beats(best: str, trivial: dict[tuple[str, str], Interval]) -> str:
    names = list(dict.fromkeys(name for _, name in trivial))
    hardest = min(names, key=lambda name: trivial[best, name].value)
    margin = trivial[best, hardest]
    if all(one.low > 0 for one in trivial.values()):
        text = "Every architecture beats all trivial predictions"
    else:
        text = "Against the trivial predictions: " + "; ".join(_beaten(name, trivial) for name in names)
    side, sign = ("lower", 1) if margin.value > 0 else ("higher", -1)
    low, high = sorted((sign * margin.low, sign * margin.high))
    bounds = f" [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ""
    return f"{text}; the ΔE₀₀ of {best} is {abs(margin.value):.2f}{bounds} {side} than that of {hardest}."


def _beaten(name: str, trivial: dict[tuple[str, str], Interval]) -> str:
    sure = [who for (who, other), one in trivial.items() if other == name and one.low > 0]
    unsure = [
        who for (who, other), one in trivial.items() if other == name and one.value > 0 and not one.low > 0
    ]
    parts = ([" and ".join(sure)] if sure else []) + (
        [" and ".join(unsure) + " (not beyond doubt)"] if unsure else []
    )
    return f"{name} is beaten by {', '.join(parts) or 'none'}"


def _how_sure(evidence: Evidence, cells: list[CellEvidence]) -> str:
    settings = evidence.record.settings
    images = cells[0].scores().shape[1]
    seeds = sorted({len(cell.finals) for cell in cells})
    setting = (
        f"{settings['model']['image_size']} px, width {settings['model']['width']}, "
        f"{settings['budget']['trials']} trials a cell"
    )
    if min(seeds) > 1:
        many = " to ".join(str(count) for count in (seeds[0], seeds[-1])[: len(seeds)])
        return (
            f"All intervals are 95 % over {many} seeds and {images} test images, so they "
            "speak of new trainings of "
            f"these configurations on images like these, at {setting}, and not of other settings."
        )
    return (
        f"With a single seed the intervals are 95 % over {images} test images alone, so they "
        "speak of these trained "
        f"models (at {setting}) and not of the architectures: another seed may turn the order round."
    )


def _no_finals(evidence: Evidence, dataset: str) -> str:
    record = evidence.record
    found = []
    for name in evidence.architectures:
        values = [
            one.best
            for one in record.search(dataset, name)
            if one.state == TrialState.COMPLETE and one.best is not None
        ]
        if values:
            found.append((min(values), name))
    if not found:
        return "There is no answer yet: no trial has finished."
    listed = ", ".join(f"{name} {number_text(OBJECTIVE, value)}" for value, name in sorted(found))
    return (
        "There is no answer yet: no winner was retrained and evaluated on the test split. "
        "The lowest validation "
        f"ΔE₀₀ of the search, which favours whoever was tried more often, is {listed}."
    )
