"""The reproducibility checklists of NeurIPS and ACL, as far as a program can fill them.

Fields in the words of J. Pineau et al.: "Improving reproducibility in machine learning research" (JMLR 22, 2021), the
NeurIPS list, and of J. Dodge et al.: "Show your work: improved reporting of experimental results" (EMNLP 2019), on
which the ACL conferences' list rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_utils.wording import counted
from models.metrics import METRICS, OBJECTIVE
from study.comparison.finals import Evidence
from study.comparison.summary import CellSummary
from study.comparison.table import number_text, objective_text, parameter_text
from study.reporting.searched import how_it_was_searched
from study.settings.schema import cell_key

_UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Item:
    """One field: which list has it, what it asks for, and what this study answers."""

    source: str
    asks: str
    answer: str


def checklist(evidence: Evidence, summaries: list[CellSummary]) -> list[Item]:
    """Every field that the study's record answers."""
    record = evidence.record
    tags, own = record.tags, [one for one in summaries if not one.external]
    datasets = record.data["datasets"].items()
    metric = f"{METRICS[OBJECTIVE].definition}; of the others: above, “Metrics and statistics”"
    chosen = f"lowest validation {objective_text(record.objective)}; the test split has no part in it"
    bars = "95 % intervals over replicates (split, search, start and seed) and test images"
    answers = {
        ("NeurIPS", "Source code, with its version"): f"commit {tags.get('commit', _UNKNOWN)}",
        ("NeurIPS", "Dependencies"): _tags(tags, "version."),
        ("NeurIPS, ACL", "Computing infrastructure"): _tags(tags, "hardware."),
        ("NeurIPS, ACL", "Runtime of each approach"): "; ".join(map(_seconds, own)),
        ("ACL", "Number of parameters of each model"): _usage(record.usage),
        ("ACL", "Validation performance for each reported test result"): "; ".join(map(_validation, own)),
        ("NeurIPS, ACL", "Definition of the metrics"): metric,
        ("NeurIPS, ACL", "Data: statistics and splits"): "; ".join(
            _data(name, one) for name, one in datasets
        ),
        ("NeurIPS", "Data that were left out, and preprocessing"): _left_out(evidence),
        ("ACL", "Bounds of each hyperparameter"): "above, “What was searched”",
        ("ACL", "Number of search trials, and how they were chosen"): how_it_was_searched(record),
        ("ACL", "Criterion of choice"): chosen,
        ("ACL", "Configurations of the best models"): "; ".join(map(_configuration, own)),
        ("ACL", "Expected validation performance"): "above, “What the budget bought”, second figure",
        ("NeurIPS", "Number of training and evaluation runs"): _runs(evidence),
        ("NeurIPS", "Error bars, and what they are over"): bars,
        (
            "NeurIPS",
            "Seeds",
        ): f"{record.settings['seed']} of the study; of the finals: above, “Seeds of the finals”",
    }
    return [Item(source, asks, answer) for (source, asks), answer in answers.items()]


def _tags(tags: dict[str, str], prefix: str) -> str:
    found = [
        f"{name.removeprefix(prefix)} {value}"
        for name, value in sorted(tags.items())
        if name.startswith(prefix)
    ]
    return ", ".join(found) or _UNKNOWN


def _seconds(one: CellSummary) -> str:
    cell = cell_key(one.dataset, one.architecture)
    return f"{cell}: {one.search_seconds:.0f} device-seconds of search, {one.final_seconds:.0f} of finals"


def _usage(usage: dict[str, dict[str, Any]]) -> str:
    return ", ".join(f"{name} {one['weights'] / 1e6:.2f} million" for name, one in usage.items()) or _UNKNOWN


def _validation(one: CellSummary) -> str:
    value = "–" if one.validation is None else number_text(one.objective, one.validation)
    return f"{cell_key(one.dataset, one.architecture)} {value}"


def _data(name: str, facts: dict[str, Any]) -> str:
    return (
        f"{name}: {facts['train']} training, {facts['validation']} validation and "
        f"{counted(facts['test'], 'test image')}, fingerprint {str(facts['fingerprint'])[:16]}"
    )


def _left_out(evidence: Evidence) -> str:
    record = evidence.record
    size = record.settings["model"]["image_size"]
    refused = {name: len(one["refused"]) for name, one in record.data["datasets"].items() if one["refused"]}
    files = (
        ", ".join(f"{counted(count, 'refused file')} of {name}" for name, count in refused.items())
        or "nothing"
    )
    return f"{files} left out; images cropped to squares and resized to {size} pixels"


def _configuration(one: CellSummary) -> str:
    values = ", ".join(f"{name} {parameter_text(value)}" for name, value in one.parameters.items())
    return f"{cell_key(one.dataset, one.architecture)}: {values or '–'}"


def _runs(evidence: Evidence) -> str:
    trials = evidence.record.trials
    nouns = {"trial": "search trial", "final": "final", "control": "control"}
    counts = [counted(sum(one.role == role for one in trials), noun) for role, noun in nouns.items()]
    return f"{', '.join(counts)}; each final was tested once"
