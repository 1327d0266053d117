"""The model card of a dataset's champion: what it learnt from, how good it is, where it fails, what to beware of."""

from __future__ import annotations

from study.record import StudyRecord, TrialRecord


def model_card(record: StudyRecord, champion: TrialRecord) -> str:
    """The card as Markdown."""
    return f"# {record.name}: {champion.key}\n"
