"""The ledger: the Optuna storage that alone decides which trials exist and how they ended.

Each cell has one Optuna study for its search, one for its finals and one for their controls, so that neither sampling
nor pruning compares across cells. Whatever else a study writes (MLflow, Ray's folders, checkpoints) may be lost or lag
behind: only the ledger says what is done and what is left. Nothing is kept in memory that the storage does not hold.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from optuna.storages import BaseStorage

from study.errors import UsageError
from study.search.attributes import IDENTITY, LOOKS, REPLICATES
from study.search.cell_ledger import CellLedger
from study.search.cells import Cell, Stage, cells_of
from study.settings.identity import Identity
from study.settings.schema import StudySettings, cell_key


class StudyLedger:
    """A study's ledger: for each of its cells, the trials of the search, the finals and their controls.

    Args:
        storage: From `study.search.database.open_storage`.
        settings: The study.

    Attributes:
        cells: The study's cells, in the order in which they are shown.
    """

    def __init__(self, storage: BaseStorage, settings: StudySettings) -> None:
        self._storage = storage
        self._settings = settings
        self._parts: dict[tuple[str, Stage], CellLedger] = {}
        self.cells: list[Cell] = []
        self._open(cells_of(settings))
        self._open(cells_of(settings, self._added()))

    def _open(self, cells: list[Cell]) -> None:
        self.cells = cells
        for cell in cells:
            for stage in Stage:
                exists = stage is not Stage.CONTROL or (self._settings.controls and cell.pretrained_by)
                if exists and (cell.key, stage) not in self._parts:
                    self._parts[cell.key, stage] = CellLedger(self._storage, self._settings, cell, stage)

    def _added(self) -> dict[tuple[str, str], int]:
        firsts = {cell.pair: self.search(cell.key) for cell in self.cells if cell.replicate == 1}
        return {pair: search.attributes.get(REPLICATES, 1) for pair, search in firsts.items()}

    @property
    def replicates(self) -> dict[tuple[str, str], int]:
        """Number of replicates by (dataset, architecture)."""
        return {cell.pair: cell.replicate for cell in self.cells}  # the last one counts

    def add_replicate(self, pairs: Collection[tuple[str, str]]) -> None:
        """Give each of these (dataset, architecture) a replicate more, and their parents as many."""
        number = self.replicates
        wanted = {pair: number[pair] + 1 for pair in number if pair in pairs}
        for cell in reversed(self.cells):  # a parent may have a parent
            parent = self._pair(cell.pretrained_by)
            if cell.pair in wanted and parent:
                wanted[parent] = max(wanted.get(parent, number[parent]), wanted[cell.pair])
        for (dataset, architecture), replicates in wanted.items():
            self.search(cell_key(dataset, architecture)).remember(REPLICATES, replicates)
        self._open(cells_of(self._settings, self._added()))

    def _pair(self, key: str | None) -> tuple[str, str] | None:
        return next((cell.pair for cell in self.cells if cell.key == key), None)

    @property
    def looks(self) -> list[dict[str, Any]]:
        """When test results were compared: number of `replicates` and `time` (ISO 8601) of each look."""
        return list(self.search(self.cells[0].key).attributes.get(LOOKS, []))

    def record_look(self, replicates: int) -> None:
        """Record that results of so many replicates are compared; the same results are looked at once."""
        if all(look["replicates"] < replicates for look in self.looks):
            time = datetime.now(UTC).isoformat(timespec="seconds")
            looks = [*self.looks, {"replicates": replicates, "time": time}]
            self.search(self.cells[0].key).remember(LOOKS, looks)

    def parts(self, cell: str) -> dict[Stage, CellLedger]:
        """Everything that there is of the cell with this key."""
        return {stage: part for (key, stage), part in self._parts.items() if key == cell}

    def claim(self, identity: Identity) -> None:
        """Mark every part of the ledger as this study's.

        Raises:
            UsageError: If one carries the identity of another study.
        """
        for part in self.all_parts:
            found = part.attributes.get(IDENTITY)
            if found not in (None, identity.key):
                raise UsageError(
                    "The ledger holds another study of this name; choose another --name or --ledger."
                )
        for part in self.all_parts:
            part.remember(IDENTITY, identity.key)

    @property
    def all_parts(self) -> Collection[CellLedger]:
        """Search, finals and controls of every cell."""
        return self._parts.values()

    def search(self, cell: str) -> CellLedger:
        """The search of the cell with this key."""
        return self._parts[cell, Stage.SEARCH]

    def finals(self, cell: str) -> CellLedger:
        """The finals of the cell with this key."""
        return self._parts[cell, Stage.FINAL]
