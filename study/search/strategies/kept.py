"""What samplers keep of a search beside its storage: a sampler itself lives for one trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from optuna.storages import BaseStorage
from optuna.study import Study

Kept = TypeVar("Kept")


class KeptBySearch(Generic[Kept]):
    """One object for each search, made when it is first asked for; it goes with the search's storage.

    Args:
        make: Makes what is kept of a search of which nothing is.
    """

    def __init__(self, make: Callable[[], Kept]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[BaseStorage, dict[int, Kept]] = WeakKeyDictionary()

    def of(self, study: Study) -> Kept:
        """What is kept of this search."""
        searches = self._kept.setdefault(study._storage, {})
        if study._study_id not in searches:
            searches[study._study_id] = self._make()
        return searches[study._study_id]
