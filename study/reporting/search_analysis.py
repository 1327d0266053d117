"""Analyses of a cell's search: progress against budget, importances, early against final values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.architectures import Architecture, architecture
from models.errors import ModelError
from models.metrics import OBJECTIVE
from study.search import importance
from study.search.search_space import distributions
from study.search.trial_spec import TrialState
from study.settings.choices.samplers import SAMPLERS
from study.settings.space import MOST_WARM, searched
from study.statistics import Interval, expected_best, incumbent, rank_correlation
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

VALIDATION = f"validation/{OBJECTIVE}"


@dataclass(frozen=True)
class Progress:
    """A curve of a cell's search, x ascending."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class EarlyRank:
    """Rank correlation over complete trials between the objective after `epoch` epochs and the final best."""

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


def early_ranks(record: StudyRecord, dataset: str, name: str) -> list[EarlyRank]:
    """Rank correlations after a quarter and a half of the epochs, and at the epoch where pruning may begin."""
    complete = [one for one in record.search(dataset, name) if one.state == TrialState.COMPLETE]
    histories = [dict(record.history(one, VALIDATION)) for one in complete]
    if len(complete) < 2:
        return []
    common = sorted(set.intersection(*(set(history) for history in histories)))[:-1]
    if not common:
        return []
    quarter, warmup = (common[-1] + 1) // 4, record.settings["search"]["warmup_epochs"]
    wanted = {quarter if warmup is None else max(1, warmup), quarter, 2 * quarter}
    epochs = sorted({min(common, key=lambda epoch: abs(epoch - one)) for one in wanted})
    final = [min(history.values()) for history in histories]
    return [
        EarlyRank(epoch, len(complete), rank_correlation([history[epoch] for history in histories], final))
        for epoch in epochs
    ]


def importances(record: StudyRecord, dataset: str, name: str) -> dict[str, dict[str, float]]:
    """Importance of each hyperparameter by evaluator, over the cell's complete trials.

    Returns:
        Empty where it would say nothing (see `study.search.importance.importances`), or if the architecture is not
        known here.
    """
    trials = record.search(dataset, name)
    pretrained = any(one.generator_from is not None for one in trials)
    try:
        space = searched(name, record.settings["search"]["space"].get(name, {}), pretrained=pretrained)
    except ModelError:
        return {}
    complete = [
        (one.params, one.best) for one in trials if one.state == TrialState.COMPLETE and one.best is not None
    ]
    return importance.importances(distributions(space), complete)


def logarithmic(name: str, parameter: str, values: list[float]) -> bool:
    """Whether a hyperparameter is searched on a logarithmic scale; of an unknown architecture, whether it could be."""
    known = known_architecture(name)
    return getattr(known and known.search_space.get(parameter), "log", min(values) > 0)
