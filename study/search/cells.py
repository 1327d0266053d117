"""The cells of a study: its (dataset, architecture, replicate) triples, and which of them waits for which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from study.settings.schema import StudySettings, cell_key


class Stage(StrEnum):
    """The part of a cell that a trial belongs to."""

    SEARCH = "search"
    FINAL = "final"
    CONTROL = "control"


@dataclass(frozen=True)
class Cell:
    """One architecture on one dataset, in one replicate.

    Attributes:
        epochs: Epochs of a trial that is not pruned.
        pretrained_by: Key of the parent cell, whose best weights may start this cell's generators; of the same
            replicate.
        replicate: From 1. Nothing that chance decides is shared between replicates.
    """

    dataset: str
    architecture: str
    epochs: int
    pretrained_by: str | None = None
    replicate: int = 1

    @property
    def key(self) -> str:
        """The cell's name everywhere, see `cell_key`."""
        return cell_key(self.dataset, self.architecture, self.replicate)

    @property
    def pair(self) -> tuple[str, str]:
        """Dataset and architecture."""
        return self.dataset, self.architecture


def cells_of(settings: StudySettings, added: Mapping[tuple[str, str], int] | None = None) -> list[Cell]:
    """Every cell of a study, in the order in which they are shown.

    Args:
        settings: The study.
        added: Replicates by (dataset, architecture), of those that have more than the settings say.
    """
    from models.architectures import architecture  # brings torch, which a table does without

    cells = []
    for dataset in settings.datasets:
        for name in settings.architectures:
            parent = architecture(name).pretrained_by
            replicates = max(settings.replicates, (added or {}).get((dataset, name), 1))
            for replicate in range(1, replicates + 1):
                start = cell_key(dataset, parent, replicate) if parent in settings.architectures else None
                epochs = settings.epochs_of(dataset, name)
                cells.append(Cell(dataset, name, epochs, start, replicate))
    return cells


def derived_seed(seed: int, *names: object) -> int:
    """A seed in 0 … 2³¹−1 that depends only on the study's seed and on the names of what it is for."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
