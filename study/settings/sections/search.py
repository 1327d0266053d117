"""How configurations are chosen and weak trials are stopped."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.choices.word import WordOf
from study.settings.sections.section import Section


class SearchSettings(Section):
    """How configurations are chosen and weak trials are stopped."""

    sampler: Annotated[str, WordOf(SAMPLERS)] = Field("tpe", description="proposes configurations")
    pruner: Annotated[str, WordOf(PRUNERS)] = Field("halving", description="stops weak trials")
    startup_trials: int = Field(
        4,
        ge=0,
        description="random trials before a sampler that learns; complete trials before a pruner that waits for them",
    )
    warmup_epochs: int | None = Field(
        None,
        ge=0,
        description="epochs before a trial can be pruned, the first rung; default a quarter of its epochs",
    )
    reduction_factor: int = Field(
        2, ge=2, description="`halving`, `hyperband`: one of so many trials passes a rung"
    )
    patience: int = Field(5, ge=1, description="reports without improvement (pruner `patient`)")
    warm_start: str | None = Field(
        None, description="name or folder of an earlier study, whose best configurations are tried first"
    )
    space: dict[str, dict[str, list[int | float | str]]] = Field(
        default_factory=dict,
        description="ranges `[low, high]` or options of single hyperparameters, by architecture",
    )

    def warmup_of(self, epochs: int) -> int:
        """Epochs that a trial of `epochs` epochs trains before it can be pruned."""
        return math.ceil(epochs / 4) if self.warmup_epochs is None else self.warmup_epochs


def first_rung(warmup_epochs: int | None, epochs: int) -> int:
    """The epoch after which trials are first compared; at least 1."""
    return max(1, SearchSettings(warmup_epochs=warmup_epochs).warmup_of(epochs))
