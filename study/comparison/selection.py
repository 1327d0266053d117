"""The one place that chooses winners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from study.search.trial_spec import TrialState

if TYPE_CHECKING:
    from study.tracking.record import StudyRecord
    from study.tracking.trial_record import TrialRecord


def best_trial(record: StudyRecord, dataset: str, name: str) -> TrialRecord | None:
    """The cell's model: the best final on validation, or the best search trial where there is no final."""
    complete = [trial for trial in record.search(dataset, name) if trial.state == TrialState.COMPLETE]
    candidates = best_finals(record, dataset, name) or complete
    scored = [trial for trial in candidates if trial.best is not None]
    return min(scored, default=None, key=lambda one: (one.best, one.replicate, one.number))


def champion_of(record: StudyRecord, dataset: str) -> TrialRecord | None:
    """The model of the cell whose finals have the lowest mean validation objective; the test plays no part.

    Cells without finals compete only where no cell has any: the best of many trials is a flattered value. Those that
    take longer for an image than `verdict.latency_ms` do not compete.
    """
    slow = too_slow(record)
    names = [name for other, name in record.cells if other == dataset and name not in slow]
    finals = {name: best_finals(record, dataset, name) for name in names}
    means = {name: float(np.mean([one.best for one in group])) for name, group in finals.items() if group}
    if not means:
        models = {name: best_trial(record, dataset, name) for name in names}
        means = {
            name: trial.best for name, trial in models.items() if trial is not None and trial.best is not None
        }
    winner = min(means, key=lambda name: means[name], default=None)
    return None if winner is None else best_trial(record, dataset, winner)


def too_slow(record: StudyRecord) -> dict[str, float]:
    """Milliseconds an image of every architecture that takes longer than a champion may."""
    most = record.settings.get("verdict", {}).get("latency_ms")
    times = {name: float(usage["milliseconds"]) for name, usage in record.usage.items()}
    return {name: time for name, time in times.items() if most is not None and time > most}


def latency_sentence(record: StudyRecord) -> str:
    """Which architectures are no champions for their time; empty if all may be."""
    slow = too_slow(record)
    if not slow:
        return ""
    named = " and ".join(f"{name} ({time:.1f} ms an image)" for name, time in slow.items())
    most = record.settings["verdict"]["latency_ms"]
    left = len(slow) < len(record.settings["architectures"])
    return f"{named} cannot be champion within verdict.latency_ms {most:g}" + (
        "." if left else ", so there is none; raise it, or take a smaller model.width or model.image_size."
    )


def best_finals(record: StudyRecord, dataset: str, name: str) -> list[TrialRecord]:
    """The complete finals that stand for an architecture; validation alone chooses them.

    Returns:
        With several replicates the best final of each, by replicate; with one, the finals of the configuration whose
        finals did best, one per seed.
    """
    if record.replicates > 1:
        best: dict[int, TrialRecord] = {}
        for final in record.finals(dataset, name):
            if final.replicate not in best or _lower(final, best[final.replicate]):
                best[final.replicate] = final
        return list(best.values())
    by_configuration: dict[tuple[tuple[str, float | str], ...], list[TrialRecord]] = {}
    for final in record.finals(dataset, name):
        by_configuration.setdefault(tuple(sorted(final.params.items())), []).append(final)
    groups = list(by_configuration.values())
    return min(groups, key=lambda group: float(np.mean([one.best for one in group])), default=[])


def _lower(one: TrialRecord, other: TrialRecord) -> bool:
    return one.best is not None and (other.best is None or one.best < other.best)
