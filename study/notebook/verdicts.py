"""Every two architectures of a dataset compared, as a frame for notebooks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import pandas as pd

from study.comparison.finals import Evidence
from study.reporting.answer import Pair, answer
from study.tracking.record import StudyRecord


@dataclass(frozen=True)
class Verdict:
    """One row.

    Attributes:
        better: The architecture with the lower mean objective on the test split.
        lower_by: How much lower it is, with its 95 % interval from `low` to `high`.
        p_holm: The p-value corrected for all pairs of the dataset.
        decided: Whether the difference is larger than luck explains.
    """

    dataset: str
    better: str
    worse: str
    lower_by: float
    low: float
    high: float
    p_value: float
    p_holm: float
    decided: bool


def verdicts_frame(record: StudyRecord) -> pd.DataFrame:
    """One row per pair of architectures that have finals, in the order of the report; see `Verdict`."""
    evidence = Evidence(record)
    pairs = [pair for dataset in evidence.datasets for pair in answer(evidence, dataset).pairs]
    columns = [one.name for one in fields(Verdict)]
    return pd.DataFrame([asdict(_verdict(pair)) for pair in pairs], columns=columns)


def _verdict(pair: Pair) -> Verdict:
    difference = pair.comparison.difference  # of the better to the worse, so below 0
    return Verdict(
        pair.dataset,
        pair.a,
        pair.b,
        lower_by=-difference.value,
        low=-difference.high,
        high=-difference.low,
        p_value=pair.comparison.p_value,
        p_holm=pair.corrected,
        decided=pair.decided,
    )
