"""How the study was done, and what its readers must beware of."""

from __future__ import annotations

from typing import Any

from data_utils.wording import counted
from models.metrics import TRIVIAL
from study.comparison.finals import Evidence
from study.comparison.selection import latency_sentence
from study.comparison.summary import CellSummary
from study.reporting.search_analysis import validation
from study.search.trial_spec import TrialState
from study.settings.schema import cell_key
from study.tracking.record import StudyRecord


def configuration(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every setting by its dotted name."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            rows += configuration(value, f"{prefix}{name}.")
        else:
            shown = (
                ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
            )
            rows.append((f"{prefix}{name}", shown if value not in ({}, []) else ""))
    return rows


def status(record: StudyRecord) -> str:
    """One sentence if the study is not at its end, else nothing."""
    if record.finished:
        return ""
    running = sum(one.state == TrialState.RUNNING for one in record.trials)
    done = sum(one.state == TrialState.COMPLETE and not one.final for one in record.trials)
    finals = sum(one.state == TrialState.COMPLETE and one.final for one in record.trials)
    wanted = len(record.cells) * record.settings["budget"]["trials"]
    return (
        f"This study is not finished: {counted(done, 'trial')} of the search complete, {running} running "
        f"when it was last heard of, at most {wanted} planned; {counted(finals, 'final')} complete. "
        "Everything below is preliminary."
    )


def warnings(record: StudyRecord) -> list[str]:
    """What must be known before the first number is read; empty for a finished study of photographs."""
    drawn = [name for name, one in record.data["datasets"].items() if one["drawn"]]
    found = [status(record)]
    if drawn:
        found.append(
            f"The images of {' and '.join(drawn)} are drawn by a program and are no photographs; nothing here says "
            "anything about photographs."
        )
    if "not pretrained" in record.data["vgg16"]:
        found.append(
            "Koalarization ran with random VGG16 weights, not with pretrained ones, so it is not judged fairly."
        )
    return [one for one in found if one]


def caveats(evidence: Evidence, summaries: list[CellSummary]) -> list[str]:
    """What limits the study's conclusions; the study's own notes last."""
    record = evidence.record
    found = [
        *warnings(record),
        *_about_data(record),
        *_about_cells(evidence, summaries),
        *_about_finals(evidence),
    ]
    if slow := latency_sentence(record):
        found.append(slow)
    found.append(
        "The colours are plausible, not historical: a network cannot know what colour a thing really had."
    )
    return [*found, *(note for note in record.notes if note not in found)]


def _about_data(record: StudyRecord) -> list[str]:
    facts = record.data["datasets"]
    found = []
    if record.data["vgg16"]:
        found.append(f"VGG16 weights: {record.data['vgg16']}.")
    for name, one in facts.items():
        if one["train"] < one["train_available"]:
            found.append(
                f"{name} was trained on a random subset: {one['train']} of {counted(one['train_available'], 'image')}."
            )
        if one["refused"]:
            files = counted(len(one["refused"]), "file")
            found.append(f"{name}: {files} refused and left out (listed above).")
        found += one.get("warnings", [])  # studies of earlier versions have none
    return found


def _about_cells(evidence: Evidence, summaries: list[CellSummary]) -> list[str]:
    found = []
    wanted = evidence.record.settings["finals"]["seeds"]
    for one in summaries:
        if one.external:
            continue
        cell = cell_key(one.dataset, one.architecture)
        if one.failed:
            found.append(f"{cell}: {one.failed} of {counted(one.trials, 'trial')} failed.")
        if not one.complete:
            found.append(f"{cell}: no trial is complete, so it has no result.")
        elif one.seeds < wanted:
            found.append(f"{cell}: {one.seeds} of {counted(wanted, 'final')} complete.")
        if beaten_by := [name for name in TRIVIAL if one.beats and not one.beats[name]]:
            found.append(f"{cell} does not beat {' or '.join(beaten_by)}.")
    return found


def _about_finals(evidence: Evidence) -> list[str]:
    record = evidence.record
    found = []
    improving, shared, lonely = [], [], []
    for (dataset, name), cell in evidence.cells.items():
        key = cell_key(dataset, name)
        histories = [record.history(final, validation(record)) for final in cell.finals]
        if any(
            points and min(points, key=lambda point: point[1])[0] == points[-1][0] for points in histories
        ):
            improving.append(key)
        if len(cell.finals) > 1 and any(final.generator_from is not None for final in cell.finals):
            shared.append(key)
        if len(cell.finals) == 1:
            lonely.append(key)
    if improving:
        found.append(
            f"Not converged: a final's best epoch was its last in {', '.join(improving)}; "
            "more epochs may change the order."
        )
    if shared:
        found.append(
            f"All finals of {', '.join(shared)} start from the same trained generator, so "
            "their seeds differ in less "
            "than a whole training, and the interval over seeds is too narrow for the whole procedure."
        )
    if lonely:
        found.append(f"One seed only in {', '.join(lonely)}: intervals there speak of the trained model.")
    return found
