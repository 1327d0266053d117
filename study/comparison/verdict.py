"""Which architectures of a dataset differ, and which are still in contention; valid over pairs and looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from study.comparison.finals import CellEvidence, Evidence

if TYPE_CHECKING:
    from study.statistics import Verdict
    from study.tracking.record import StudyRecord

MARGIN = 0.5
MOST_REPLICATES = 10


def dataset_verdicts(evidence: Evidence, dataset: str, quantity: str | None = None) -> list[Verdict]:
    """One verdict for each pair of architectures that have finals, in the configuration's order.

    Replicates that collapsed have no part in it. A study of one replicate compares the seeds of its finals instead, and
    its verdicts speak of the configurations that it found.

    Args:
        evidence: The study's finals.
        dataset: Its name.
        quantity: What is compared, by default the objective; lower is better.
    """
    from study.statistics import verdicts

    cells = evidence.of(dataset)
    if len(cells) < 2:
        return []
    record = evidence.record
    chosen = record.settings.get("verdict", {})
    scores = {cell.architecture: _rows(evidence, cell, quantity or cell.objective) for cell in cells}
    count = max(len(one) for one in scores.values())
    scores = {name: _padded(one, count) for name, one in scores.items()}
    earlier = [look for look in record.looks if 1 < look < count] if record.replicates > 1 else []
    # Who stops at a number fixed beforehand may spend the whole error there, once.
    open_ended = record.replicates > 1 and (chosen.get("until") == "decided" or bool(earlier))
    found = verdicts(
        scores,
        looks=[*earlier, count],
        most_replicates=max(chosen.get("most_replicates", MOST_REPLICATES), count) if open_ended else count,
        margin=chosen.get("margin", MARGIN),
        categories=evidence.categories(dataset),
    )
    if record.replicates > 1:
        return found
    return [replace(one, difference=replace(one.difference, scope="these configurations")) for one in found]


def _rows(evidence: Evidence, cell: CellEvidence, quantity: str) -> np.ndarray:
    """Replicates × images in the order of the replicates, NaN where one is missing or collapsed."""
    scores = cell.scores(quantity)
    if evidence.record.replicates == 1:
        return scores
    rows = np.full((evidence.record.replicates, scores.shape[1]), np.nan)
    for final, row in zip(cell.finals, scores, strict=True):
        if not final.collapsed:
            rows[final.replicate - 1] = row
    return rows


def _padded(rows: np.ndarray, count: int) -> np.ndarray:
    return np.vstack([rows, np.full((count - len(rows), rows.shape[1]), np.nan)])


def in_contention(record: StudyRecord) -> set[tuple[str, str]]:
    """(dataset, architecture) of every architecture that some verdict does not decide about."""
    evidence = Evidence(record)
    return {
        (dataset, name)
        for dataset in evidence.datasets
        for one in dataset_verdicts(evidence, dataset)
        if not one.decided
        for name in (one.a, one.b)
    }
