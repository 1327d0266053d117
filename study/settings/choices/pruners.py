"""The pruners that `search.pruner` may name, and what the rest of the study must know of each."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.registry import Table


@dataclass(frozen=True)
class Pruner:
    """One way to stop weak trials.

    Attributes:
        name: The word in the settings.
        make: Takes the search's settings (`SearchSettings`) and the epochs of a full trial, and returns an Optuna
            pruner; or the address `module:function` of such a function, so that settings are read without Optuna.
        meaning: Which trials it stops; one line for the documentation.
        keeps_rungs: Whether it writes the rungs that a trial passed into the trial's system attributes.
        needs_complete_trials: Whether it waits for `search.startup_trials` complete trials before it prunes.
    """

    name: str
    make: Callable[..., Any] | str
    meaning: str = ""
    keeps_rungs: bool = False
    needs_complete_trials: bool = False

    @property
    def factory(self) -> Callable[..., Any]:
        """The function that makes it, imported now if `make` is an address."""
        return pkgutil.resolve_name(self.make) if isinstance(self.make, str) else self.make


PRUNERS = Table(
    "pruner",
    [
        Pruner(
            "halving",
            "study.search.strategies.pruners:halving",
            "all but the best 1/`search.reduction_factor` of the trials at each rung (asynchronous successive halving)",
            keeps_rungs=True,
        ),
        Pruner(
            "hyperband",
            "study.search.strategies.pruners:hyperband",
            "all but the best 1/`search.reduction_factor` of the trials at each rung, in several brackets whose rungs "
            "begin at different epochs",
            keeps_rungs=True,
        ),
        Pruner(
            "median",
            "study.search.strategies.pruners:median",
            "a trial that is worse than the median of the complete ones at the same epoch",
            needs_complete_trials=True,
        ),
        Pruner(
            "patient",
            "study.search.strategies.pruners:patient",
            "a trial that is worse than the median of the complete ones at the same epoch and has not improved for "
            "`search.patience` reports",
            needs_complete_trials=True,
        ),
        Pruner("none", "study.search.strategies.pruners:nothing", "no trial"),
    ],
)
register_pruner = PRUNERS.register
