"""A study's finals with their test results, read once for all sections of the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.metrics import INDEX, OBJECTIVE, TRIVIAL
from study.comparison.selection import best_finals

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord
    from study.tracking.trial_record import TrialRecord

Quantities = dict[str, np.ndarray]


@dataclass(frozen=True)
class CellEvidence:
    """The finals that stand for an architecture on a dataset, and their results on the test split.

    Attributes:
        finals: One per replicate, or per seed of a study of one replicate; never empty.
        evaluations: Image quantities of each final, N images each.
    """

    dataset: str
    architecture: str
    finals: tuple[TrialRecord, ...]
    evaluations: tuple[Quantities, ...]

    def scores(self, name: str = OBJECTIVE) -> np.ndarray:
        """One quantity as finals × images (× bins of a histogram).

        NaN where a replicate's own test split lacks an image.
        """
        images = np.unique(np.concatenate([one[INDEX] for one in self.evaluations]))
        bins = self.evaluations[0][name].shape[1:]
        scores = np.full((len(self.evaluations), len(images), *bins), np.nan)
        for row, one in zip(scores, self.evaluations, strict=True):
            row[np.searchsorted(images, one[INDEX])] = one[name]
        return scores

    @property
    def shown(self) -> TrialRecord:
        """The final whose pictures are shown: that of the lowest validation objective."""
        return min(self.finals, key=lambda one: (np.inf if one.best is None else one.best, one.number))


class Evidence:
    """Finals by cell, and the trivial predictions.

    Args:
        record: The study.
    """

    def __init__(self, record: StudyRecord) -> None:
        self.record = record
        self._trivial: dict[tuple[str, str], Quantities] = {}

    @cached_property
    def cells(self) -> dict[tuple[str, str], CellEvidence]:
        """Every cell that has a complete final, by (dataset, architecture), in the configuration's order."""
        found = {}
        for dataset, architecture in self.record.cells:
            finals = best_finals(self.record, dataset, architecture)
            if finals:
                evaluations = tuple(self.record.evaluation(final) for final in finals)
                found[dataset, architecture] = CellEvidence(dataset, architecture, tuple(finals), evaluations)
        return found

    def of(self, dataset: str) -> list[CellEvidence]:
        """The cells of a dataset that have finals."""
        return [one for (name, _), one in self.cells.items() if name == dataset]

    def trivial(self, dataset: str) -> dict[str, Quantities]:
        """Test quantities of the trivial predictions by name."""
        for name in TRIVIAL:
            if (dataset, name) not in self._trivial:
                self._trivial[dataset, name] = self.record.trivial_evaluation(dataset, name)
        return {name: self._trivial[dataset, name] for name in TRIVIAL}

    def categories(self, dataset: str) -> np.ndarray | None:
        """Category of each test image; None where images have none, or where each replicate has its own images."""
        found = np.asarray(self.record.data["datasets"][dataset].get("test_categories", []))
        several = len(found) > 0 and found.min() >= 0 and len(np.unique(found)) > 1
        return found if several and not self.record.rotates else None

    @property
    def datasets(self) -> list[str]:
        """Names of the study's datasets."""
        return list(self.record.settings["datasets"])

    @property
    def architectures(self) -> list[str]:
        """Names of the study's architectures."""
        return list(self.record.settings["architectures"])
