"""How each cell was searched: history, slices, importances, early ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from study.reporting.figures import Line, Point, curves, scatter, strips
from study.reporting.search_analysis import (
    EarlyRank,
    anytime,
    early_ranks,
    expected_best_curve,
    importances,
    judged,
    logarithmic,
)
from study.search.importance import FEWEST_FOR_IMPORTANCE
from study.search.trial_spec import TrialState
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

_OBJECTIVE = "validation ΔE₀₀"
LABELS = {
    "learning_rate": "learning rate",
    "discriminator_learning_rate": "learning rate of D",
    "l1_weight": "λ (weight of L1)",
    "epsilon": "ε inside the logarithm",
    "generator_init": "start of the generator",
}


@dataclass(frozen=True)
class CellSearch:
    """One cell's search.

    Attributes:
        states: Number of trials by state.
        figures: History first, then one slice per hyperparameter.
        importance: By evaluator, by hyperparameter.
        importance_of: Which trials are compared for it, and when; empty without.
        no_importance: Why there is none; empty if there is.
        ranks: Early against final values.
        ends: How trials that did not complete ended, with their reasons.
    """

    dataset: str
    architecture: str
    states: dict[str, int]
    figures: list[Markup]
    importance: dict[str, dict[str, float]]
    importance_of: str
    no_importance: str
    ranks: list[EarlyRank]
    ends: list[TrialRecord]


def cell_search(record: StudyRecord, dataset: str, architecture: str, colour: str) -> CellSearch:
    """Everything that the report says of one cell's search."""
    trials = record.search(dataset, architecture)
    importance = importances(record, dataset, architecture)
    rung, compared = judged(record, dataset, architecture)
    states: dict[str, int] = {}
    for trial in trials:
        states[trial.state] = states.get(trial.state, 0) + 1
    return CellSearch(
        dataset,
        architecture,
        states,
        [_history(trials, colour), *_slices(trials, colour)] if trials else [],
        importance,
        _compared(rung, len(compared)) if importance else "",
        "" if importance else _why_no_importance(trials, len(compared)),
        early_ranks(record, dataset, architecture),
        [one for one in trials if one.state in (TrialState.PRUNED, TrialState.FAIL)],
    )


def _value(trial: TrialRecord) -> float:
    return math.nan if trial.best is None or trial.state == TrialState.FAIL else trial.best


def _history(trials: list[TrialRecord], colour: str) -> Markup:
    points = [Point(one.number, _value(one), one.state) for one in trials]
    return scatter(f"{trials[0].key} history", points, "trial", _OBJECTIVE, colour, log=False)


def _slices(trials: list[TrialRecord], colour: str) -> list[Markup]:
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    figures = []
    for name in sorted(names, key=lambda one: list(LABELS).index(one) if one in LABELS else len(LABELS)):
        chosen = [trial for trial in trials if name in trial.params]
        label, title = LABELS.get(name, name.replace("_", " ")), f"{trials[0].key} {name}"
        numbers = [(value, one) for one in chosen if isinstance(value := one.params[name], int | float)]
        if numbers:
            points = [Point(value, _value(one), one.state) for value, one in numbers]
            log = logarithmic(trials[0].architecture, name, [value for value, _ in numbers])
            figures.append(scatter(title, points, label, _OBJECTIVE, colour, log=log))
        else:
            groups: dict[str, list[float]] = {}
            for one in chosen:
                groups.setdefault(str(one.params[name]), []).append(_value(one))
            figures.append(strips(title, groups, label, _OBJECTIVE, colour))
    return figures


def _compared(rung: int | None, count: int) -> str:
    if rung is None:
        return f"over {count} complete trials"
    return f"over all {count} trials that reached epoch {rung}, where the pruner first judges, by their best until then"


def _why_no_importance(trials: list[TrialRecord], compared: int) -> str:
    if trials and len(trials[0].params) < 2:
        return "It has one hyperparameter, which has all the importance there is."
    if compared < FEWEST_FOR_IMPORTANCE:
        return f"It has {compared} comparable trials; importances of fewer than {FEWEST_FOR_IMPORTANCE} are noise."
    return "Its trials do not differ, or its search space is not known here."


def anytime_figure(record: StudyRecord, dataset: str, palette: dict[str, str]) -> Markup | None:
    """The best value so far of every cell of a dataset against device-seconds."""
    lines = []
    for name, colour in palette.items():
        progress = anytime(record, dataset, name)
        if np.isfinite(progress.y).any():
            lines.append(Line(name, progress.x, progress.y, colour))
    title = f"{dataset} incumbents"
    return (
        curves(title, lines, "device-seconds of the search", "best " + _OBJECTIVE, steps=True)
        if lines
        else None
    )


def expected_figure(record: StudyRecord, dataset: str, palette: dict[str, str]) -> Markup | None:
    """Expected best value of n random trials for every cell of a dataset."""
    lines = []
    for name, colour in palette.items():
        progress = expected_best_curve(record, dataset, name)
        if np.isfinite(progress.y).any():
            lines.append(Line(name, progress.x, progress.y, colour))
    return (
        curves(
            f"{dataset} expected best", lines, "random trials", "expected best " + _OBJECTIVE, counted=True
        )
        if lines
        else None
    )
