"""The answer: which architecture is best on a dataset, by how much, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data_utils.wording import counted
from models.metrics import OBJECTIVE
from study.comparison.contestants import contestant_sentence
from study.comparison.control import control_sentence
from study.comparison.finals import CellEvidence, Evidence, Quantities
from study.comparison.leaks import leak_sentence
from study.comparison.pairs import (
    INCOMPARABLE,
    Pair,
    compare_pairs,
    difference_text,
    lead_sentence,
    listed,
    mean_score,
    p_text,
)
from study.comparison.summary import score_interval
from study.comparison.table import interval_text, number_text, objective_text
from study.comparison.verdict import MARGIN
from study.search.trial_spec import TrialState
from study.statistics import Interval, collapse_rate, mean_interval
from study.statistics.components import FEWEST


@dataclass(frozen=True)
class Answer:
    """What is known of one dataset.

    Attributes:
        pairs: All pairs of architectures that have finals.
        lead: The verdict in one sentence without numbers.
        sentences: What it rests on, with numbers.
    """

    dataset: str
    pairs: tuple[Pair, ...]
    lead: str
    sentences: tuple[str, ...]


def answer(evidence: Evidence, dataset: str) -> Answer:
    """Compare all architectures of a dataset by the objective, with one another and with the trivial rows."""
    cells = sorted(evidence.of(dataset), key=mean_score)
    if not cells:
        return Answer(dataset, (), "There is no answer yet.", (_no_finals(evidence, dataset),))
    pairs = compare_pairs(evidence, dataset)
    trivial = {
        (cell.architecture, name): advantage(cell, quantities)
        for name, quantities in evidence.trivial(dataset).items()
        for cell in cells
    }
    qualifying = (
        _collapses(evidence, cells),
        control_sentence(evidence, dataset),
        leak_sentence(evidence, dataset),
        contestant_sentence(evidence, dataset, cells[0].architecture),
        _how_sure(evidence, cells),
    )
    sentences = [_numbers(evidence, cells[0], pairs), _beats(cells[0].architecture, trivial), *qualifying]
    lead = lead_sentence(cells[0].architecture, pairs, dataset)
    return Answer(dataset, tuple(pairs), lead, tuple(one for one in sentences if one))


def advantage(cell: CellEvidence, trivial: Quantities) -> Interval:
    """How much lower the objective is than a trivial prediction's, which has no replicates."""
    return mean_interval(cell.of_images(trivial, cell.objective) - cell.scores())


def _numbers(evidence: Evidence, best: CellEvidence, pairs: list[Pair]) -> str:
    categories = evidence.categories(best.dataset)
    score = interval_text(best.objective, score_interval(best.objective, best.scores(), categories))
    clauses = [
        _clause(evidence, best.architecture, pair) for pair in pairs if best.architecture in (pair.a, pair.b)
    ]
    compared = f", {' and '.join(clauses)}" if clauses else ""
    return f"The mean {objective_text(best.objective)} of {best.architecture} is {score}{compared}."


def _clause(evidence: Evidence, best: str, pair: Pair) -> str:
    verdict = pair.verdict
    other = pair.b if pair.a == best else pair.a
    if math.isnan(verdict.difference.value):
        return f"not comparable with {other}, since {INCOMPARABLE}"
    way = "lower" if pair.a == best else "higher"
    text = (
        f"{difference_text(verdict.difference)} {way} than {other} ({p_text(verdict.p_value)}; {verdict.word}"
    )
    if verdict.word == "equivalent":
        margin = evidence.record.settings.get("verdict", {}).get("margin", MARGIN)
        text += f" within ±{margin:g}"
    if verdict.further is not None:
        text += f", about {counted(verdict.further, 'more replicate')} would decide"
    return text + ")"


def _collapses(evidence: Evidence, cells: list[CellEvidence]) -> str:
    found = []
    for cell in cells:
        flags = [bool(final.collapsed) for final in cell.finals]
        if any(flags):
            rate = collapse_rate(flags)
            found.append(
                f"{cell.architecture} collapsed in {sum(flags)} of {len(flags)} trainings "
                f"({100 * rate.value:.0f} % [{100 * rate.low:.0f}, {100 * rate.high:.0f}])"
            )
    if not found:
        return ""
    if evidence.record.replicates == 1:
        part = "comparisons of a single replicate include such trainings"
    else:
        part = "comparisons speak of trainings that did not collapse"
    return f"{'; '.join(found)}: {part}."


def _beats(best: str, trivial: dict[tuple[str, str], Interval]) -> str:
    names = list(dict.fromkeys(name for _, name in trivial))
    hardest = min(names, key=lambda name: trivial[best, name].value)
    margin = trivial[best, hardest]
    if all(one.low > 0 for one in trivial.values()):
        text = "Every architecture beats all trivial predictions"
    else:
        text = "Against the trivial predictions: " + "; ".join(_beaten(name, trivial) for name in names)
    side, by = ("lower", margin) if margin.value > 0 else ("higher", -margin)
    return f"{text}; the mean of {best} is {by:.2f} {side} than that of {hardest}."


def _beaten(name: str, trivial: dict[tuple[str, str], Interval]) -> str:
    sure = [who for (who, other), one in trivial.items() if other == name and one.low > 0]
    unsure = [
        who for (who, other), one in trivial.items() if other == name and one.value > 0 and not one.low > 0
    ]
    parts = [f"by {listed(sure, 'and')}"] if sure else []
    if unsure:
        parts.append(f"not beyond doubt by {listed(unsure, 'and')}")
    return f"{name} is beaten {', and '.join(parts) or 'by none'}"


def _how_sure(evidence: Evidence, cells: list[CellEvidence]) -> str:
    record = evidence.record
    model, trials = record.settings["model"], record.settings["budget"]["trials"]
    images = cells[0].scores().shape[1]
    setting = f"{model['image_size']} px, width {model['width']}, {counted(trials, 'trial')} a cell"
    if images < FEWEST:
        are = "is" if images == 1 else "are"
        return (
            f"Intervals and p-values need at least {FEWEST} test images; there {are} {images}, at {setting}."
        )
    if record.replicates > 1:
        counts = sorted({len(cell.finals) for cell in cells})
        many = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
        looks = len({*record.looks, counts[-1]})
        text = (
            f"Intervals are 95 % over {many} replicates (split, search, start and seed) and "
            f"{counted(images, 'test image')}, at {setting}"
        )
        if record.settings.get("verdict", {}).get("until") == "decided":
            return f"{text}; p-values and differences stay valid over {counted(looks, 'look')}."
        if looks > 1:
            before = "a look" if looks == 2 else f"{looks - 1} looks"
            return (
                f"{text}. Replicates were added after {before} at what was to be the end: p-values and differences are "
                f"charged for all {looks} looks (alpha spending)."
            )
        return f"{text}."
    seeds = max(len(cell.finals) for cell in cells)
    over = (f"{seeds} seeds and " if seeds > 1 else "") + counted(images, "test image")
    return (
        f"Intervals are 95 % over {over}, at {setting}. With a single replicate they speak of these configurations "
        "alone: another search may find others and turn the order round."
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
        f"{objective_text(record.objective)} of the search, which favours whoever was tried more often, is {listed}."
    )
