"""The samplers that `search.sampler` may name, and what the rest of the study must know of each."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.hyperparameters import Choice, Space
from models.registry import Table


@dataclass(frozen=True)
class Sampler:
    """One way to propose configurations.

    Attributes:
        name: The word in the settings.
        make: Takes the search's settings (`SearchSettings`), the cell's search space and a seed, and returns an Optuna
            sampler; or the address `module:function` of such a function, so that settings are read without Optuna.
            A new sampler is made for each trial: all that it may remember is in the trials.
        meaning: What it proposes by; one line for the documentation.
        draws_at_random: Whether each configuration is drawn at random, whatever trials came before.
        learns_from: States of the trials that it learns from, if it draws at random until `search.startup_trials`
            of them have ended; empty if it does not begin at random.
        one_sequence: Whether its proposals are one sequence, whose position Optuna keeps: then all trials of a cell
            get the same seed.
        choices: Whether it proposes options of a choice; if not, they are drawn at random.
        conditional: Whether it proposes hyperparameters that depend on an option; if not, they are drawn at random.
    """

    name: str
    make: Callable[..., Any] | str
    meaning: str = ""
    draws_at_random: bool = False
    learns_from: tuple[str, ...] = ()
    one_sequence: bool = False
    choices: bool = True
    conditional: bool = True

    @property
    def factory(self) -> Callable[..., Any]:
        """The function that makes it, imported now if `make` is an address."""
        return pkgutil.resolve_name(self.make) if isinstance(self.make, str) else self.make

    def left_to_chance(self, space: Space) -> list[str]:
        """The hyperparameters of a search space that are drawn at random because this sampler does not propose them."""
        return [
            name
            for name, kind in space.items()
            if (isinstance(kind, Choice) and len(kind.options) > 1 and not self.choices)
            or (kind.when and not self.conditional)
        ]


SAMPLERS = Table(
    "sampler",
    [
        Sampler(
            "tpe",
            "study.search.strategies.samplers:tpe",
            "tree-structured Parzen estimator; of a long search it sees the best and the latest trials",
            learns_from=("COMPLETE", "PRUNED"),
        ),
        Sampler(
            "random",
            "study.search.strategies.samplers:uniform",
            "uniform draws, each on its scale",
            draws_at_random=True,
        ),
        Sampler(
            "qmc",
            "study.search.strategies.samplers:quasi_random",
            "scrambled Sobol sequence",
            one_sequence=True,
            conditional=False,
        ),
        Sampler(
            "gp",
            "study.search.strategies.samplers:gaussian_process",
            "Gaussian process, expected improvement; learns from complete trials, of a long search from the latest",
            learns_from=("COMPLETE",),
            conditional=False,
        ),
        Sampler(
            "cmaes",
            "study.search.strategies.samplers:cma_es",
            "CMA-ES; a step for every 4 + ⌊3 ln n⌋ complete trials, n numbers being searched",
            learns_from=("COMPLETE",),
            choices=False,
            conditional=False,
        ),
    ],
)
register_sampler = SAMPLERS.register
