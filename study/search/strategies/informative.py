"""Which trials of a long search its sampler is shown, so that a proposal takes no longer at its end."""

from __future__ import annotations

from collections.abc import Container
from heapq import nsmallest
from itertools import islice, takewhile
from typing import Any, cast

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from study.search.strategies.kept import KeptBySearch

GOOD = 25
"""How many trials Optuna's TPE calls good, from 250 on (J. Bergstra et al., ICML 2013)."""
WINDOW = 500
"""How many ended trials a sampler is shown: twice those at which `GOOD` is reached."""

_LEARNT_FROM = (TrialState.COMPLETE, TrialState.PRUNED)


class BoundedSampler(BaseSampler):
    """A sampler that sees the best and the latest trials of a search, and all that are running.

    Up to `window` ended trials every proposal is its own. Beyond, the oldest of those that are not among the best are
    left out: TPE's good trials are still those that it would take, and of the others it weighs old ones least; the
    time of a Gaussian process's fit grows with the cube of their number. For searches that minimise.

    Args:
        sampler: Of one trial.
        window: How many ended trials it is shown.
    """

    def __init__(self, sampler: BaseSampler, window: int = WINDOW) -> None:
        self._sampler = sampler
        self._window = window
        self._shown: Study | None = None

    def _part(self, study: Study) -> Study:
        """The part that is shown; the same all through a trial."""
        if self._shown is None:
            everything = study._get_trials(deepcopy=False)
            trials = _BEGINNINGS.of(study).informative(everything, self._window)
            self._shown = study if len(trials) == len(everything) else cast(Study, _Part(study, trials))
        return self._shown

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler does."""
        return self._sampler.infer_relative_search_space(self._part(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler does."""
        return self._sampler.sample_relative(self._part(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the sampler does."""
        return self._sampler.sample_independent(self._part(study), trial, param_name, param_distribution)


class Beginning:
    """The trials at the beginning of a search that have all ended, and so will never change."""

    def __init__(self) -> None:
        self._ended = 0
        self._good: list[FrozenTrial] = []

    def informative(self, trials: list[FrozenTrial], window: int) -> list[FrozenTrial]:
        """The trials that say most about where to look next.

        Args:
            trials: All of a search that minimises, by number; each call has those of the call before, and perhaps more.
            window: How many ended ones to keep.

        Returns:
            By number: the `GOOD` best complete ones, the latest others that were complete or pruned, and all that run.
        """
        ended = list(takewhile(lambda one: one.state.is_finished(), islice(trials, self._ended, None)))
        self._good = _best([*self._good, *ended])
        self._ended += len(ended)
        rest = trials[self._ended :]
        good = _best([*self._good, *rest])
        numbers = {one.number for one in good}
        others = (one for one in reversed(trials) if one.state in _LEARNT_FROM and one.number not in numbers)
        running = (one for one in rest if one.state is TrialState.RUNNING)
        return sorted([*good, *islice(others, window - len(good)), *running], key=lambda one: one.number)


def _best(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    complete = [one for one in trials if one.state is TrialState.COMPLETE]
    return nsmallest(GOOD, complete, key=lambda one: cast(float, one.value))


class _Part:
    """A study of which only some trials are there."""

    def __init__(self, study: Study, trials: list[FrozenTrial]) -> None:
        self._study = study
        self._trials = trials

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return [one for one in self._trials if states is None or one.state in states]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


_BEGINNINGS = KeptBySearch(Beginning)
