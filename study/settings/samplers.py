"""The samplers that `search.sampler` may name, and what the rest of the study must know of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.registry import Table


@dataclass(frozen=True)
class Sampler:
    """One way to propose configurations.

    Attributes:
        name: The word in the settings.
        make: Takes the search's settings (`SearchSettings`) and a seed, and returns an Optuna sampler; or the address
            `module:function` of such a function, so that settings are read without Optuna. A new sampler is made
            for each trial: all that it may remember is in the trials.
        meaning: One line for `--help` and the documentation.
        draws_at_random: Whether each configuration is drawn at random, whatever trials came before.
        learns_from: States of the trials that it learns from, if it draws at random until `search.startup_trials`
            of them have ended; empty if it does not begin at random.
        one_sequence: Whether its proposals are one sequence, whose position Optuna keeps: then all trials of a cell
            get the same seed.
    """

    name: str
    make: Callable[..., Any] | str
    meaning: str = ""
    draws_at_random: bool = False
    learns_from: tuple[str, ...] = ()
    one_sequence: bool = False


SAMPLERS = Table(
    "sampler",
    [
        Sampler(
            "tpe",
            "study.search.samplers:tpe",
            "tree-structured Parzen estimator, multivariate",
            learns_from=("COMPLETE", "PRUNED"),
        ),
        Sampler("random", "study.search.samplers:uniform", "uniform on each scale", draws_at_random=True),
        Sampler("qmc", "study.search.samplers:quasi_random", "scrambled Sobol sequence", one_sequence=True),
    ],
)
register_sampler = SAMPLERS.register
