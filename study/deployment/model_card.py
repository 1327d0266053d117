"""The model card of a champion: what it learnt from, how good it is, where it fails, what to beware of."""

from __future__ import annotations

import math

import yaml

from data_utils.wording import counted
from models.architectures import architecture
from models.metrics import KEPT, OBJECTIVE, TRIVIAL
from study.comparison.finals import Evidence
from study.comparison.summary import CellSummary, summarise_cell
from study.comparison.table import HEADINGS, interval_text, number_text, parameter_text
from study.comparison.warning import champion_warning
from study.tracking.record import StudyRecord
from study.tracking.trial_record import TrialRecord

_SHOWN = (OBJECTIVE, KEPT + OBJECTIVE, "psnr", "ssim", "colourfulness_ratio", "detail")
_VERSIONS = ("commit", "version.python", "version.torch")
_CODE = (
    "The architecture is a plug-in: to load this model runs its program (`architecture.py`, or the installed module "
    "that `config.json` names) with all rights of whoever loads it. `python -m study.colorize` and "
    "`python -m study.export_onnx` do so with `--trust-code` alone; read the program first."
)
_TASK = {"type": "image-to-image", "name": "Image colorization"}
_FAR = 0.2
"""Ratios that differ from 1 by more than this are called a failure."""


def model_card(record: StudyRecord, champion: TrialRecord) -> str:
    """The card as Markdown."""
    summary = summarise_cell(Evidence(record), champion.dataset, champion.architecture)
    sections = {
        "What it does": _purpose(record, champion),
        "Data": _data(record, champion),
        "How good it is": _metrics(record, champion, summary),
        "Where it fails": _failures(record, champion, summary),
        "How it was made": _making(record, champion, summary),
        "Licence": _licence(record, champion),
    }
    if not architecture(champion.architecture).build.__module__.startswith("models."):
        sections["Its own code"] = _CODE
    title = f"# {record.name}: {champion.architecture}, champion of {champion.dataset}"
    return "\n\n".join([title, *(f"## {name}\n\n{text}" for name, text in sections.items())]) + "\n"


def front_matter(record: StudyRecord, champion: TrialRecord, licence: str) -> str:
    """What Hugging Face reads of a card, between lines of dashes above it.

    Args:
        record: The study.
        champion: The trial behind the model.
        licence: Of the weights, as Hugging Face abbreviates it.
    """
    summary = summarise_cell(Evidence(record), champion.dataset, champion.architecture)
    shown = [name for name in _SHOWN if name in summary.test]
    facts: dict[str, object] = {
        "license": licence,
        "library_name": "pytorch",
        "pipeline_tag": _TASK["type"],
        "tags": ["image-colorization", "colorization", champion.architecture],
    }
    if shown:
        facts["metrics"] = shown
        results = [
            {"type": name, "name": HEADINGS[name], "value": round(summary.test[name].value, 4)}
            for name in shown
        ]
        dataset = {"name": champion.dataset, "type": champion.dataset, "split": "test"}
        model = {"name": f"{record.name}-{champion.dataset}"}
        facts["model-index"] = [
            {**model, "results": [{"task": _TASK, "dataset": dataset, "metrics": results}]}
        ]
    return f"---\n{yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)}---\n"


def _purpose(record: StudyRecord, champion: TrialRecord) -> str:
    size = record.settings["model"]["image_size"]
    return (
        "Colours grey photographs at their own resolution. **The colours are plausible, not historical**: "
        "they are guessed from images like those below and say nothing about what the scene really looked "
        f"like. The chroma is predicted with the shorter side at {size} pixels and merged with the "
        "photograph's own lightness."
    )


def _data(record: StudyRecord, champion: TrialRecord) -> str:
    facts = record.data["datasets"][champion.dataset]
    kind = (
        "**Drawn by a program, not photographs**: the model shows that the software works, no more."
        if facts["drawn"]
        else f"Layout: {facts['layout']}."
    )
    subset = (
        f", a random subset of {facts['train_available']}"
        if facts["train"] < facts["train_available"]
        else ""
    )
    lines = [
        kind,
        f"{counted(facts['train'], 'training image')}{subset}, {facts['validation']} for validation, {facts['test']} "
        f"for the test; {counted(len(facts['refused']), 'file')} refused. Fingerprint `{facts['fingerprint'][:16]}`.",
    ]
    if architecture(champion.architecture).features:
        lines.append(f"VGG16 weights that describe its images: {record.data['vgg16']}.")
    return "\n".join(f"- {line}" for line in lines)


def _metrics(record: StudyRecord, champion: TrialRecord, summary: CellSummary) -> str:
    trivial = record.trivial[champion.dataset]
    rows = [row for row in TRIVIAL if row in trivial]
    shown = [name for name in _SHOWN if name in (summary.test or trivial[TRIVIAL[0]])]
    lines = [
        "| on the test split | this architecture | " + " | ".join(rows) + " |",
        "|" + " --- |" * (2 + len(rows)),
    ]
    for name in shown:
        own = interval_text(name, summary.test[name]) if name in summary.test else ""
        others = [number_text(name, trivial[row][name]) if name in trivial[row] else "" for row in rows]
        lines.append(f"| {HEADINGS[name]} | {own} | " + " | ".join(others) + " |")
    if summary.test:
        scope = summary.test[OBJECTIVE].scope
        whose = "the architecture" if scope == "architecture" else scope
        trainings = "one training" if summary.seeds == 1 else f"{summary.seeds} trainings"
        explained = f"Mean over {trainings} [95 % interval, for {whose}]."
    else:
        explained = "The study had no finals, so that nothing was measured on the test split."
    return "\n".join([*lines, "", f"{explained} This model's validation ΔE₀₀: {champion.best:.2f}."])


def _failures(record: StudyRecord, champion: TrialRecord, summary: CellSummary) -> str:
    if not summary.test:
        return "Not measured: the study had no finals."
    warning = champion_warning(record, summary)
    lines = [f"**{warning}**"] if warning else []
    lines += [
        f"It does **not** beat the trivial prediction *{name}*."
        for name, better in summary.beats.items()
        if not better
    ]
    colour, detail = (
        summary.test[name].value if name in summary.test else math.nan
        for name in ("colourfulness_ratio", "detail")
    )
    if abs(colour - 1) > _FAR:
        side = "little" if colour < 1 else "much"
        lines.append(
            f"The network gives too {side} colour: {number_text('colourfulness_ratio', colour)} times the truth's."
        )
    if detail < 1 - _FAR:
        lines.append(
            f"The network blurs: its detail agrees with the truth's by {number_text('detail', detail)} of 1."
        )
    lines.append("Objects and scenes that are unlike the training images were not part of the test.")
    return "\n".join(f"- {line}" for line in lines)


def _making(record: StudyRecord, champion: TrialRecord, summary: CellSummary) -> str:
    parameters = ", ".join(f"{name} {parameter_text(value)}" for name, value in champion.params.items())
    tags = record.tags
    versions = ", ".join(
        f"{name.removeprefix('version.')} {tags[name]}" for name in _VERSIONS if name in tags
    )
    return "\n".join(
        f"- {line}"
        for line in (
            f"Trial `{champion.key}`, seed {champion.seed}; the best of {counted(champion.epochs, 'epoch')}.",
            f"{parameters}.",
            f"Search: {counted(summary.trials, 'trial')}, {summary.pruned} pruned, {summary.failed} failed.",
            *_start(record, champion),
            *([f"Software: {versions}."] if versions else []),
        )
    )


def _start(record: StudyRecord, champion: TrialRecord) -> list[str]:
    """Where its training began, if not from scratch or from the study's own networks."""
    start = record.data.get("start") or {}
    if start.get("architecture") != champion.architecture:
        return []
    return [
        f"Its training began from {start['from']}, which was trained on {start['dataset'] or 'unknown images'}."
    ]


def _licence(record: StudyRecord, champion: TrialRecord) -> str:
    lines = [
        "The software is under the MIT licence, which does not cover the training images: before passing "
        "these weights on, check that the images' terms allow it (many public sets are for research only).",
    ]
    if architecture(champion.architecture).features and "random" not in record.data["vgg16"]:
        lines.append(
            "The folder contains VGG16's convolutions (Simonyan & Zisserman 2015, pretrained on ImageNet), "
            "which have terms of their own; the authors' weights are under CC BY 4.0."
        )
    return "\n".join(f"- {line}" for line in lines)
