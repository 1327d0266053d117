"""Programs that were not trained here, beside the study's own architectures on the same test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.metrics import INDEX
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.summary import CellSummary, beaten, intervals_of, surely_helps
from study.comparison.table import interval_text, objective_text
from study.statistics import Interval, mean_interval

EXTERNAL = "external, not trained here"


@dataclass(frozen=True)
class Match:
    """An architecture against a contestant, over the images that the contestant has pictures of.

    Attributes:
        lower_by: How much lower the architecture's mean objective is.
    """

    architecture: str
    contestant: str
    lower_by: Interval


def contestant_summaries(evidence: Evidence, dataset: str) -> list[CellSummary]:
    """One row for each contestant that has pictures."""
    record, trivial = evidence.record, evidence.record.trivial[dataset]
    rows = []
    for name, quantities in evidence.contestants(dataset).items():
        labels = evidence.labels(dataset)
        categories = None
        if evidence.categories(dataset) is not None and labels is not None:
            images = evidence.of(dataset)[0].images
            categories = labels[np.searchsorted(images, quantities[INDEX])]
        test = intervals_of(_cell(dataset, name, quantities, record.objective), categories)
        rows.append(
            CellSummary(
                dataset=dataset,
                architecture=name,
                parameters={},
                trials=0,
                complete=0,
                pruned=0,
                failed=0,
                epochs=0,
                final_epochs=0,
                search_seconds=0.0,
                final_seconds=0.0,
                feature_seconds=0.0,
                pretraining_seconds=0.0,
                validation=None,
                test=test,
                seeds=1,
                beats=beaten(test, trivial, record.objective),
                model_uri="",
                surely_helps=surely_helps(test, trivial, record.objective),
                objective=record.objective,
                external=True,
            )
        )
    return rows


def _cell(dataset: str, name: str, quantities: dict[str, np.ndarray], objective: str) -> CellEvidence:
    return CellEvidence(dataset, name, (), (quantities,), objective=objective)


def matches(evidence: Evidence, dataset: str) -> list[Match]:
    """Every architecture that has finals against every contestant."""
    found = []
    for name, quantities in evidence.contestants(dataset).items():
        for cell in evidence.of(dataset):
            theirs = np.full(len(cell.images), np.nan)
            theirs[np.searchsorted(cell.images, quantities[INDEX])] = quantities[cell.objective]
            found.append(Match(cell.architecture, name, mean_interval(theirs - cell.scores())))
    return found


def contestant_sentence(evidence: Evidence, dataset: str, best: str) -> str:
    """The contestants' means, and how far the study's best architecture is from them; empty without any."""
    parts = []
    lower = {one.contestant: one.lower_by for one in matches(evidence, dataset) if one.architecture == best}
    for row in contestant_summaries(evidence, dataset):
        score, by, what = row.test[row.objective], lower[row.architecture], objective_text(row.objective)
        parts.append(
            f"{row.architecture} reaches a mean {what} of {interval_text(row.objective, score)}, "
            f"{best} {interval_text(row.objective, by)} less"
        )
    return f"{EXTERNAL.capitalize()}: {'; '.join(parts)}." if parts else ""
