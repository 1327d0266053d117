"""Per-category results with colour swatches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.metrics.image import OBJECT_LEVEL
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.summary import score_interval
from study.reporting.picture_samples import Pictures
from study.statistics import Interval

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class CategoryScore:
    """One architecture on one category; `colour` is the mean predicted one, None without pictures."""

    objective: Interval
    a_star_error: Interval
    colour: Colour | None


@dataclass(frozen=True)
class Category:
    """One category of a dataset's test split.

    Attributes:
        images: How many test images it has.
        colour: Mean true object colour, None without pictures.
        scores: By architecture.
    """

    name: str
    images: int
    colour: Colour | None
    scores: dict[str, CategoryScore]


def categories(evidence: Evidence, dataset: str, pictures: Pictures | None) -> list[Category]:
    """Every category that has test images; empty if the dataset has none or the study did not record them."""
    cells = evidence.of(dataset)
    facts = evidence.record.data["datasets"][dataset]
    labels = evidence.labels(dataset)
    if labels is None:
        return []
    return [
        _category(name, labels == number, cells, pictures)
        for number, name in enumerate(facts["categories"])
        if (labels == number).any()
    ]


def _category(
    name: str, chosen: np.ndarray, cells: list[CellEvidence], pictures: Pictures | None
) -> Category:
    truth = None if pictures is None else pictures.truth[chosen]
    scores = {}
    for cell in cells:
        predicted = None if pictures is None else pictures.predictions[cell.architecture][chosen]
        scores[cell.architecture] = CategoryScore(
            score_interval(cell.objective, cell.scores()[:, chosen]),
            score_interval("a_star_error", cell.scores("a_star_error")[:, chosen]),
            None if truth is None or predicted is None else object_colour(predicted, truth),
        )
    colour = None if truth is None else object_colour(truth, truth)
    return Category(name, int(chosen.sum()), colour, scores)


def object_colour(pictures: np.ndarray, truth: np.ndarray) -> Colour | None:
    """Mean colour over the pixels where the truth shows an object, not white ground.

    Args:
        pictures: N×side×side×3 uint8.
        truth: Same shape.

    Returns:
        RGB, 0 to 255; None if the truth has no object.
    """
    is_object = truth.min(axis=-1) < OBJECT_LEVEL * 255
    if not is_object.any():
        return None
    red, green, blue = (round(float(value)) for value in pictures[is_object].mean(axis=0))
    return red, green, blue
