"""The cells of a study: its (dataset, architecture) pairs, and which of them waits for which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from study.settings.schema import StudySettings, cell_key


class Stage(StrEnum):
    """The part of a cell that a trial belongs to."""

    SEARCH = "search"
    FINAL = "final"


@dataclass(frozen=True)
class Cell:
    """One architecture on one dataset.

    Attributes:
        epochs: Epochs of a trial that is not pruned.
        pretrained_by: Key of the parent cell, whose best weights may start this cell's generators.
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
    from models.architectures import architecture  # brings torch, which a table does without

    cells = []
    for dataset in settings.datasets:
        for name in settings.architectures:
            parent = architecture(name).pretrained_by
            cells.append(
                Cell(
                    dataset,
                    name,
                    epochs=settings.epochs_of(dataset, name),
                    pretrained_by=cell_key(dataset, parent) if parent in settings.architectures else None,
                )
            )
    return cells


def derived_seed(seed: int, *names: object) -> int:
    """A seed in 0 … 2³¹−1 that depends only on the study's seed and on the names of what it is for."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
