"""The cells of a study: which (dataset, architecture) pairs there are, and which waits for which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from models.architectures import architecture
from study.settings.schema import StudySettings, cell_key


class Stage(StrEnum):
    """What a trial of a cell is run for."""

    SEARCH = "search"
    FINAL = "final"


@dataclass(frozen=True)
class Cell:
    """One architecture on one dataset.

    Attributes:
        epochs: Epochs of a trial that is not pruned.
        pretrained_by: Key of the cell whose best weights may initialise this cell's generator.
    """

    dataset: str
    architecture: str
    epochs: int
    pretrained_by: str | None = None

    @property
    def key(self) -> str:
        """`dataset/architecture`: the cell's name everywhere."""
        return cell_key(self.dataset, self.architecture)


def cells_of(settings: StudySettings) -> list[Cell]:
    """Every cell of a study, in the order in which they are shown."""
    cells = []
    for dataset in settings.datasets:
        for name in settings.architectures:
            giver = architecture(name).pretrained_by
            cells.append(
                Cell(
                    dataset,
                    name,
                    epochs=settings.epochs_of(dataset, name),
                    pretrained_by=cell_key(dataset, giver) if giver in settings.architectures else None,
                )
            )
    return cells


def derived_seed(seed: int, *names: object) -> int:
    """A seed in 0 … 2³¹−1 that depends on the study's seed and on what it is for, and on nothing else."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
