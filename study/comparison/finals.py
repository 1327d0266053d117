"""A study's finals with their test results, read once for all sections of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
        positions: Positions in the dataset of all its test images, ascending; None: those that these finals have.
        objective: What the study minimises.
    """

    dataset: str
    architecture: str
    finals: tuple[TrialRecord, ...]
    evaluations: tuple[Quantities, ...]
    positions: np.ndarray | None = None
    objective: str = OBJECTIVE

    def scores(self, name: str | None = None) -> np.ndarray:
        """One quantity, by default the objective, as finals × images (× bins of a histogram).

        NaN where a replicate's own test split lacks an image.
        """
        name = name or self.objective
        images, bins = self.images, self.evaluations[0][name].shape[1:]
        scores = np.full((len(self.evaluations), len(images), *bins), np.nan)
        for row, one in zip(scores, self.evaluations, strict=True):
            row[np.searchsorted(images, one[INDEX])] = one[name]
        return scores

    @property
    def images(self) -> np.ndarray:
        """Positions in the dataset of the N test images, ascending; those of any final where replicates differ."""
        return test_images(self.evaluations) if self.positions is None else self.positions

    def has(self, name: str) -> bool:
        """Whether the finals measured a quantity; those of earlier versions lack some."""
        return all(name in one for one in self.evaluations)

    def truth(self, name: str) -> np.ndarray:
        """A quantity of the true images, N (× bins): the same for all finals that have the image."""
        found: np.ndarray = np.nanmax(self.scores(f"{name}_true"), axis=0)
        return found

    def of_images(self, quantities: Quantities, name: str) -> np.ndarray:
        """One quantity of a prediction of all test images (`Evidence.trivial`), of this cell's images."""
        return np.asarray(quantities[name], dtype=np.float64)[np.searchsorted(quantities[INDEX], self.images)]

    @property
    def shown(self) -> TrialRecord:
        """The final whose pictures are shown: that of the lowest validation objective."""
        return min(self.finals, key=lambda one: (np.inf if one.best is None else one.best, one.number))


def test_images(evaluations: Sequence[Quantities]) -> np.ndarray:
    """Positions in the dataset of the images that any evaluation has, ascending."""
    return np.unique(np.concatenate([one[INDEX] for one in evaluations]))


class Evidence:
    """Finals by cell, and the trivial predictions.

    Args:
        record: The study.
        whole: Evidence of the same study, of which this one has only test images that show no picture of the training
            set; see `without_leaks`.
    """

    def __init__(self, record: StudyRecord, whole: Evidence | None = None) -> None:
        self.record = record
        self._whole = whole
        self._trivial: dict[tuple[str, str], Quantities] = {}

    @cached_property
    def cells(self) -> dict[tuple[str, str], CellEvidence]:
        """Every cell that has a complete final, by (dataset, architecture), in the configuration's order."""
        if self._whole is not None:
            return {key: self._clean(cell) for key, cell in self._whole.cells.items()}
        finals = {cell: found for cell in self.record.cells if (found := best_finals(self.record, *cell))}
        evaluations = {
            cell: tuple(self.record.evaluation(final) for final in found) for cell, found in finals.items()
        }
        images = {
            dataset: test_images(
                [one for cell, found in evaluations.items() if cell[0] == dataset for one in found]
            )
            for dataset, _ in finals
        }
        return {
            cell: CellEvidence(*cell, tuple(found), evaluations[cell], images[cell[0]], self.record.objective)
            for cell, found in finals.items()
        }

    def of(self, dataset: str) -> list[CellEvidence]:
        """The cells of a dataset that have finals."""
        return [one for (name, _), one in self.cells.items() if name == dataset]

    def trivial(self, dataset: str) -> dict[str, Quantities]:
        """Test quantities of the trivial predictions by name, of every image that is a test image of any replicate."""
        names = [name for name in TRIVIAL if name in self.record.trivial[dataset]]
        for name in names:
            if (dataset, name) not in self._trivial:
                self._trivial[dataset, name] = self._joined(dataset, name)
        return {name: self._trivial[dataset, name] for name in names}

    def _joined(self, dataset: str, name: str) -> Quantities:
        replicates = range(1, self.record.replicates + 1) if self.record.rotates else [1]
        parts = [self.record.trivial_evaluation(dataset, name, replicate) for replicate in replicates]
        joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        _, first = np.unique(joined[INDEX], return_index=True)
        return {key: values[first] for key, values in joined.items()}

    def contestants(self, dataset: str) -> dict[str, Quantities]:
        """Test quantities of the contestants by name; empty before the study has finals to compare them with."""
        names = self.record.contestants(dataset) if self.of(dataset) else []
        found = {}
        for name in names:
            quantities = self.record.contestant_evaluation(dataset, name)
            counts = np.isin(quantities[INDEX], self.of(dataset)[0].images)
            found[name] = {key: values[counts] for key, values in quantities.items()}
        return found

    def leaks(self, dataset: str) -> list[int]:
        """Positions in the dataset of the test images that show a picture of the training set."""
        return list(self.record.data["datasets"][dataset].get("test_leaks", []))

    def without_leaks(self) -> Evidence:
        """The same without these images."""
        return Evidence(self.record, whole=self)

    def _clean(self, cell: CellEvidence) -> CellEvidence:
        leaked = self.leaks(cell.dataset)
        counts = [~np.isin(one[INDEX], leaked) for one in cell.evaluations]
        evaluations = tuple(
            {name: values[chosen] for name, values in one.items()}
            for one, chosen in zip(cell.evaluations, counts, strict=True)
        )
        return replace(cell, evaluations=evaluations, positions=np.setdiff1d(cell.images, leaked))

    def labels(self, dataset: str) -> np.ndarray | None:
        """Category of each test image, −1 for none; None where they were not recorded, or there is no final."""
        cells = self.of(dataset)
        if self._whole is not None and cells:
            whole = self._whole.labels(dataset)
            return (
                None if whole is None else whole[np.isin(self._whole.of(dataset)[0].images, cells[0].images)]
            )
        found: dict[int, int] = {}
        for cell in cells:
            for final, one in zip(cell.finals, cell.evaluations, strict=True):
                _, labels = self.record.test_images(dataset, final.replicate)
                if len(labels) == len(one[INDEX]):
                    found |= dict(zip(one[INDEX].tolist(), labels, strict=True))
        if not cells or len(found) < len(cells[0].images):
            return None
        return np.array([found[position] for position in cells[0].images.tolist()])

    def categories(self, dataset: str) -> np.ndarray | None:
        """Category of each test image; None where images have none."""
        found = self.labels(dataset)
        several = found is not None and found.min() >= 0 and len(np.unique(found)) > 1
        return found if several else None

    @property
    def datasets(self) -> list[str]:
        """Names of the study's datasets."""
        return list(self.record.settings["datasets"])

    @property
    def architectures(self) -> list[str]:
        """Names of the study's architectures."""
        return list(self.record.settings["architectures"])
