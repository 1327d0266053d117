"""What was searched: ranges and scales, sampler, pruner and rungs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_utils.wording import counted
from models.errors import ModelError
from models.hyperparameters import Choice, Float, Int
from study.reporting.search_analysis import rungs
from study.settings.choices.pruners import PRUNERS
from study.settings.choices.samplers import SAMPLERS
from study.settings.space import searched
from study.tracking.record import StudyRecord


@dataclass(frozen=True)
class Searched:
    """One hyperparameter of one architecture.

    Attributes:
        values: Its range or options, in words.
        scale: How it was searched.
        when: On what it depends; empty if on nothing.
    """

    architecture: str
    name: str
    values: str
    scale: str
    when: str


def searched_hyperparameters(record: StudyRecord) -> list[Searched]:
    """Every hyperparameter that the study's searches could vary; none of an architecture that is not known here."""
    found = []
    for architecture in record.settings["architectures"]:
        pretrained = any(
            one.generator_from is not None for one in record.trials if one.architecture == architecture
        )
        try:
            space = searched(
                architecture, record.settings["search"]["space"].get(architecture, {}), pretrained=pretrained
            )
        except ModelError:
            continue
        for name, kind in space.items():
            when = ", ".join(f"{key} {_words(value)}" for key, value in kind.when.items())
            found.append(Searched(architecture, name, _values(kind), _scale(kind), when))
    return found


def _words(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _values(kind: Float | Int | Choice) -> str:
    if isinstance(kind, Choice):
        return ", ".join(map(str, kind.options))
    return f"{kind.low:g} … {kind.high:g}"


def _scale(kind: Float | Int | Choice) -> str:
    if isinstance(kind, Choice):
        return "options"
    whole = "whole numbers, " if isinstance(kind, Int) else ""
    step = f", steps of {kind.step}" if isinstance(kind, Int) and kind.step > 1 else ""
    return f"{whole}{'logarithmic' if kind.log else 'linear'}{step}"


def how_it_was_searched(record: StudyRecord) -> str:
    """Sampler, pruner and rungs in sentences."""
    search, budget = record.settings["search"], record.settings["budget"]
    sampler, pruner = SAMPLERS.get(search["sampler"]), PRUNERS.get(search["pruner"])
    by = f" ({sampler.meaning})" if sampler and sampler.meaning else ""
    text = f"{counted(budget['trials'], 'trial')} a cell and replicate, proposed by {search['sampler']}{by}"
    if sampler and sampler.learns_from:
        text += f" after {search['startup_trials']} random ones"
    stops = f" stops {pruner.meaning}" if pruner and pruner.meaning else ""
    text += f". The pruner {search['pruner']}{stops}"
    lengths = sorted({one.epochs for one in record.trials if one.state == "COMPLETE" and one.role == "trial"})
    for epochs in lengths[-1:]:
        if judged := rungs(search, epochs):
            more = "" if pruner and pruner.keeps_rungs else " and every epoch between and after them"
            text += f"; of {epochs} epochs it judges after {', '.join(map(str, judged))}{more}"
    # What samplers and pruners say of themselves names settings, which are known here.
    return re.sub(r"`search\.(\w+)`", lambda setting: str(search[setting[1]]), text) + "."
