"""Pairs of architectures on one dataset, and what they decide about the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.metrics import KEPT, OBJECTIVE
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.verdict import dataset_verdicts
from study.statistics import Comparison, Interval, Verdict, compare

INCOMPARABLE = "no replicate has trainings of both that did not collapse"
"""Why a pair may have no difference."""


@dataclass(frozen=True)
class Pair:
    """The better of two architectures (a) against the worse one (b) on one dataset.

    Attributes:
        verdict: On the objective, valid over all pairs of the dataset and all looks.
        other: The same on the objective that the study does not minimise: with the input's luminance kept, as
            `colorize` keeps it, or the raw one. Its sides may be the other way round.
        comparison: Effect size and probability of improvement.
    """

    dataset: str
    verdict: Verdict
    other: Verdict
    comparison: Comparison

    @property
    def a(self) -> str:
        """The architecture with the lower mean so far."""
        return self.verdict.a

    @property
    def b(self) -> str:
        """The other one."""
        return self.verdict.b


def other_objective(objective: str) -> str:
    """Of raw and luminance-kept ΔE₀₀ the one that a study does not minimise."""
    return OBJECTIVE if objective != OBJECTIVE else KEPT + OBJECTIVE


def mean_score(cell: CellEvidence) -> float:
    """Mean objective over finals and images."""
    return float(np.nanmean(cell.scores()))


def compare_pairs(evidence: Evidence, dataset: str) -> list[Pair]:
    """Every pair of architectures that have finals once, the better one first."""
    scores = {cell.architecture: cell.scores() for cell in evidence.of(dataset)}
    quantity = other_objective(evidence.record.objective)
    other = {frozenset((one.a, one.b)): one for one in dataset_verdicts(evidence, dataset, quantity)}
    mean = {cell.architecture: mean_score(cell) for cell in evidence.of(dataset)}
    found = sorted(dataset_verdicts(evidence, dataset), key=lambda one: (mean[one.a], mean[one.b]))
    return [
        Pair(dataset, one, other[frozenset((one.a, one.b))], _compared(scores[one.a], scores[one.b]))
        for one in found
    ]


def _compared(a: np.ndarray, b: np.ndarray) -> Comparison:
    common = min(len(a), len(b))
    return compare(a[:common], b[:common])


def p_text(p: float) -> str:
    """A p-value as one reads it."""
    if math.isnan(p):
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def difference_text(interval: Interval) -> str:
    """How much lower the better side's mean is, with its interval."""
    return f"{-interval:z.2f}"


def lead_sentence(best: str, pairs: list[Pair], dataset: str) -> str:
    """The verdict in one sentence that needs no explanation."""
    # A pair is compared on the replicates that both sides have, so it may be led by the other side.
    rivals = {pair.b if pair.a == best else pair.a: pair for pair in pairs if best in (pair.a, pair.b)}
    if not rivals:
        return f"Only {best} was tried on {dataset}."
    for name, pair in rivals.items():
        if pair.verdict.word == "better" and pair.a == name:
            return lead_sentence(
                name, [one for one in pairs if best not in (one.a, one.b)] or [pair], dataset
            )
    alone = _of_one_replicate(rivals)
    open_to = [name for name, pair in rivals.items() if pair.verdict.word == "not decided"]
    if open_to:
        return f"It is not decided which architecture colours {dataset} best: {listed([best, *open_to], 'or')}{alone}."
    equal = [name for name, pair in rivals.items() if pair.verdict.word == "equivalent"]
    if equal:
        return f"{listed([best, *equal], 'and')} colour {dataset} equally well{alone}."
    return f"{best} colours {dataset} best{alone}."


def _of_one_replicate(rivals: Mapping[str, Pair]) -> str:
    """What the lead owes to comparisons that rest on one replicate: of a study of one, or since others collapsed."""
    found = {name: pair.verdict.difference for name, pair in rivals.items()}
    compared = {name: one for name, one in found.items() if not math.isnan(one.value)}
    single = [name for name, one in compared.items() if one.scope != "architecture"]
    if not single:
        return ""
    if len(single) == len(compared):
        return ", as far as one replicate can tell"
    return f"; {listed(single, 'and')} could be compared in one replicate alone"


def listed(names: list[str], word: str) -> str:
    """`a, b and c`; one name alone as it is."""
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last
