"""Analyses of a cell's search: progress against budget, importances, early against final values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.architectures import Architecture, architecture
from models.errors import ModelError
from study.search import importance
from study.search.search_space import distributions
from study.search.trial_spec import TrialState
from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.sections.search import first_rung
from study.settings.space import MOST_WARM, searched
from study.statistics import Interval, expected_best, incumbent, rank_correlation
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

FEWEST_FOR_RANKS = 5
"""Complete trials below which a rank correlation says nothing and is not shown."""


def validation(record: StudyRecord) -> str:
    """The metric in MLflow that the search minimises."""
    return f"validation/{record.objective}"


@dataclass(frozen=True)
class Progress:
    """A curve of a cell's search, x ascending."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class EarlyRank:
    """Rank correlation over complete trials between the best objective until `epoch` and that of all epochs."""

    epoch: int
    trials: int
    correlation: Interval


def ended_in_order(trials: list[TrialRecord]) -> list[TrialRecord]:
    """The trials that have ended, in the order in which they did."""
    return sorted(
        (one for one in trials if one.ended is not None and one.state != TrialState.RUNNING),
        key=lambda one: (one.ended or 0, one.number),
    )


def anytime(record: StudyRecord, dataset: str, name: str) -> Progress:
    """The cell's best complete trial so far against device-seconds spent.

    Failed and pruned trials are charged. The first trial whose generator started from the parent cell's weights
    is also charged for that cell's whole search.
    """
    trials = ended_in_order(record.search(dataset, name))
    values = [
        one.best if one.state == TrialState.COMPLETE and one.best is not None else math.nan for one in trials
    ]
    costs = [one.device_seconds for one in trials]
    first = next((index for index, one in enumerate(trials) if one.generator_from is not None), None)
    if first is not None:
        known = known_architecture(name)
        parent = record.search(dataset, known.pretrained_by or "") if known else []
        costs[first] += sum(one.device_seconds for one in parent)
    return Progress(*incumbent(values, costs)) if trials else Progress(np.array([]), np.array([]))


def known_architecture(name: str) -> Architecture | None:
    """An architecture; None if it is of a plug-in that the reader does not have."""
    try:
        return architecture(name)
    except ModelError:
        return None


def random_start(record: StudyRecord, dataset: str, name: str) -> list[TrialRecord]:
    """The ended trials whose configuration was drawn at random.

    A search begins with fixed configurations, which do not count. Of the others, the table of samplers says which were
    drawn at random: all, or those begun before `startup_trials` trials that the sampler learns from had ended. Nothing
    is known of a sampler that is not here, so none of its trials count.
    """
    settings, known = record.settings["search"], known_architecture(name)
    target = record.settings.get("training", {}).get("target", "rgb")  # studies of earlier versions have none
    given = known.first_trials(target) if known else []
    fixed = 1 + (MOST_WARM if settings.get("warm_start") else 0)
    sampler = SAMPLERS.get(settings["sampler"])
    if sampler is None or not (sampler.draws_at_random or sampler.learns_from):
        return []
    ended = [
        one
        for one in ended_in_order(record.search(dataset, name))
        if one.number >= fixed and dict(one.params) not in given
    ]
    if sampler.draws_at_random:
        return ended
    useful = [one.ended or 0 for one in record.search(dataset, name) if one.state in sampler.learns_from]
    return [one for one in ended if sum(end <= one.started for end in useful) < settings["startup_trials"]]


def expected_best_curve(record: StudyRecord, dataset: str, name: str) -> Progress:
    """Expected best validation objective of 1, 2, … random trials; a pruned one counts with its best value."""
    values = [
        math.nan if one.best is None or one.state == TrialState.FAIL else one.best
        for one in random_start(record, dataset, name)
    ]
    return Progress(np.arange(1, len(values) + 1), expected_best(values) if values else np.array([]))


def rungs(search: Mapping[str, Any], epochs: int) -> list[int]:
    """Epochs after which a search's pruner judges a trial of `epochs` epochs.

    Args:
        search: The study's settings of that section.
        epochs: Of a full trial.

    Returns:
        The rungs, of successive halving and Hyperband. Other pruners judge after every epoch from the first one here
        on; of these the doubled ones are given. Empty for `none`, and where the first one is the last epoch.
    """
    pruner = PRUNERS.get(search.get("pruner", "none"))
    if pruner is None or pruner.name == "none":
        return []
    factor = search["reduction_factor"] if pruner.keeps_rungs else 2
    found = [first_rung(search["warmup_epochs"], epochs)]
    while found[-1] * factor < epochs:
        found.append(found[-1] * factor)
    return [one for one in found if one < epochs]


def early_ranks(record: StudyRecord, dataset: str, name: str) -> list[EarlyRank]:
    """Rank correlations at the epochs where the pruner judges, of the values by which it judges.

    Returns:
        Empty for fewer than five complete trials, which say nothing, and where nothing is pruned.
    """
    complete = [one for one in record.search(dataset, name) if one.state == TrialState.COMPLETE]
    if len(complete) < FEWEST_FOR_RANKS:
        return []
    histories = [dict(record.history(one, validation(record))) for one in complete]
    final = [min(history.values()) for history in histories]
    last = min(max(history) for history in histories)
    found = []
    for rung in rungs(record.settings["search"], last):
        early = [value for one in histories if (value := _best_until(one, rung)) is not None]
        if len(early) == len(final):
            found.append(EarlyRank(rung, len(complete), rank_correlation(early, final)))
    return found


def _best_until(history: Mapping[int, float], rung: int) -> float | None:
    """The best value so far when the pruner judges at a rung: at the first report that reaches it."""
    reached = min((epoch for epoch in history if epoch >= rung), default=None)
    return None if reached is None else min(value for epoch, value in history.items() if epoch <= reached)


def judged(
    record: StudyRecord, dataset: str, name: str
) -> tuple[int | None, list[tuple[TrialRecord, float]]]:
    """The trials that can be compared with one another, and by which value.

    Trials that pruning left over are no sample of those that were tried. So all that reached the first rung are
    compared there; without pruning, complete ones by their best value.

    Returns:
        The rung, None without pruning, and each trial with the best objective that it had reached there.
    """
    trials = record.search(dataset, name)
    complete = [one for one in trials if one.state == TrialState.COMPLETE and one.best is not None]
    epochs = max((one.epochs for one in complete), default=0)
    first = next(iter(rungs(record.settings["search"], epochs)), None)
    if first is None:
        return None, [(one, one.best) for one in complete if one.best is not None]
    ended = [one for one in trials if one.state not in (TrialState.RUNNING, TrialState.WAITING)]
    values = [(one, _best_until(dict(record.history(one, validation(record))), first)) for one in ended]
    return first, [(one, value) for one, value in values if value is not None and math.isfinite(value)]


def importances(record: StudyRecord, dataset: str, name: str) -> dict[str, dict[str, float]]:
    """Importance of each hyperparameter by evaluator, over the trials and values of `judged`.

    Returns:
        Empty where it would say nothing (see `study.search.importance.importances`), or if the architecture is not
        known here.
    """
    pretrained = any(one.generator_from is not None for one in record.search(dataset, name))
    try:
        space = searched(name, record.settings["search"]["space"].get(name, {}), pretrained=pretrained)
    except ModelError:
        return {}
    _, compared = judged(record, dataset, name)
    return importance.importances(distributions(space), [(one.params, value) for one, value in compared])


def logarithmic(name: str, parameter: str, values: list[float]) -> bool:
    """Whether a hyperparameter is searched on a logarithmic scale; of an unknown architecture, whether it could be."""
    known = known_architecture(name)
    return getattr(known and known.search_space.get(parameter), "log", min(values) > 0)
