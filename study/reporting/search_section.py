"""How each cell was searched: history, slices, importances, early ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from data_utils.wording import counted
from study.reporting.figures import Line, Point, curves, scatter
from study.reporting.interactive.learning_curves import Curve, learning_curves
from study.reporting.interactive.parallel import Axis, parallel_coordinates
from study.reporting.interactive.trial_table import TrialRow, state_word, trial_label, trial_rows
from study.reporting.search_analysis import (
    EarlyRank,
    anytime,
    early_ranks,
    expected_best_curve,
    importances,
    judged,
    logarithmic,
    validation,
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
        figures: History and learning curves, as far as there is something to draw.
        parallel: Parallel coordinates; None where no trial reached a value.
        slices: One per hyperparameter.
        importance: By evaluator, by hyperparameter.
        importance_of: Which trials are compared for it, and when; empty without.
        no_importance: Why there is none; empty if there is.
        ranks: Early against final values.
        parameters: Names of the hyperparameters, in the order of `rows`.
        rows: Every trial.
    """

    dataset: str
    architecture: str
    states: dict[str, int]
    figures: list[Markup]
    parallel: Markup | None
    slices: list[Markup]
    importance: dict[str, dict[str, float]]
    importance_of: str
    no_importance: str
    ranks: list[EarlyRank]
    parameters: list[str]
    rows: list[TrialRow]


def cell_search(record: StudyRecord, dataset: str, architecture: str, colour: str) -> CellSearch:
    """Everything that the report says of one cell's search."""
    trials = record.search(dataset, architecture)
    importance = importances(record, dataset, architecture)
    rung, compared = judged(record, dataset, architecture)
    states: dict[str, int] = {}
    for trial in trials:
        states[trial.state] = states.get(trial.state, 0) + 1
    names = _parameters(trials)
    drawn = (_history(trials, colour), _learning(record, trials, colour))
    return CellSearch(
        dataset,
        architecture,
        states,
        [one for one in drawn if one],
        _parallel(trials, names, colour),
        [_slice(trials, name, colour) for name in names],
        importance,
        _compared(rung, len(compared)) if importance else "",
        "" if importance else _why_no_importance(trials, len(compared)),
        early_ranks(record, dataset, architecture),
        names,
        trial_rows(record, trials, names),
    )


def _parameters(trials: list[TrialRecord]) -> list[str]:
    """Names of all hyperparameters, known ones first."""
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    return sorted(names, key=lambda one: list(LABELS).index(one) if one in LABELS else len(LABELS))


def parameter_label(name: str) -> str:
    """A hyperparameter in words."""
    return LABELS.get(name, name.replace("_", " "))


def _value(trial: TrialRecord) -> float:
    return math.nan if trial.best is None or trial.state == TrialState.FAIL else trial.best


def _history(trials: list[TrialRecord], colour: str) -> Markup | None:
    if not trials:
        return None
    points = [Point(one.number, _value(one), one.state, trial_label(one, trials)) for one in trials]
    return scatter(f"{_cell(trials)} history", points, "trial", _OBJECTIVE, colour, counted=True)


def _learning(record: StudyRecord, trials: list[TrialRecord], colour: str) -> Markup | None:
    curves = [
        Curve(trial_label(one, trials), state_word(one.state), points)
        for one in trials
        if (points := record.history(one, validation(record)))
    ]
    return learning_curves(f"{_cell(trials)} learning curves", curves, _OBJECTIVE, colour) if curves else None


def _parallel(trials: list[TrialRecord], names: list[str], colour: str) -> Markup | None:
    axes = [
        Axis(
            parameter_label(name),
            [one.params.get(name) for one in trials],
            _is_logarithmic(trials, name),
        )
        for name in names
    ]
    reached = [None if math.isnan(value := _value(one)) else value for one in trials]
    if len(trials) < 2 or all(one is None for one in reached):
        return None
    axes.append(Axis(_OBJECTIVE, reached))
    labels, states = [trial_label(one, trials) for one in trials], [state_word(one.state) for one in trials]
    return parallel_coordinates(f"{_cell(trials)} parallel coordinates", axes, labels, states, colour)


def _slice(trials: list[TrialRecord], name: str, colour: str) -> Markup:
    values = [one.params[name] for one in trials if name in one.params]
    numeric = all(isinstance(one, int | float) for one in values)
    points = [
        Point(value if numeric else str(value), _value(one), one.state, trial_label(one, trials))
        for one in trials
        if (value := one.params.get(name)) is not None
    ]
    return scatter(
        f"{_cell(trials)} {name}",
        points,
        parameter_label(name),
        _OBJECTIVE,
        colour,
        log=numeric and _is_logarithmic(trials, name),
        counted=all(isinstance(one, int) for one in values),
    )


def _is_logarithmic(trials: list[TrialRecord], name: str) -> bool:
    numbers = [value for one in trials if isinstance(value := one.params.get(name), int | float)]
    return bool(numbers) and logarithmic(trials[0].architecture, name, numbers)


def _cell(trials: list[TrialRecord]) -> str:
    return f"{trials[0].dataset} {trials[0].architecture}"


def _compared(rung: int | None, count: int) -> str:
    if rung is None:
        return f"over {counted(count, 'complete trial')}"
    return f"over all {count} trials that reached epoch {rung}, where the pruner first judges, by their best until then"


def _why_no_importance(trials: list[TrialRecord], compared: int) -> str:
    if trials and len(trials[0].params) < 2:
        return "It has one hyperparameter, which has all the importance there is."
    if compared < FEWEST_FOR_IMPORTANCE:
        found = counted(compared, "comparable trial")
        return f"It has {found}; importances of fewer than {FEWEST_FOR_IMPORTANCE} are noise."
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
