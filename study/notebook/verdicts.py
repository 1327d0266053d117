"""Every two architectures of a dataset compared, as a frame for notebooks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import pandas as pd

from study.comparison.finals import Evidence
from study.comparison.pairs import Pair
from study.reporting.answer import answer
from study.tracking.record import StudyRecord


@dataclass(frozen=True)
class Verdict:
    """One row.

    Attributes:
        lower: The architecture with the lower mean objective on the test split.
        verdict: `better`, `equivalent` or `not decided`.
        lower_by: How much lower it is, with its interval from `low` to `high`.
        p_value: Corrected for all pairs of the dataset and all looks.
        replicates: How many were compared.
        further: About how many more would decide; missing where it is decided or they would not.
        scope: What it speaks of, see `study.statistics.Interval`.
    """

    dataset: str
    lower: str
    higher: str
    verdict: str
    lower_by: float
    low: float
    high: float
    p_value: float
    replicates: int
    further: int | None
    scope: str


def verdicts_frame(record: StudyRecord) -> pd.DataFrame:
    """One row per pair of architectures that have finals, in the order of the report; see `Verdict`."""
    evidence = Evidence(record)
    pairs = [pair for dataset in evidence.datasets for pair in answer(evidence, dataset).pairs]
    columns = [one.name for one in fields(Verdict)]
    return pd.DataFrame([asdict(_verdict(pair)) for pair in pairs], columns=columns)


def _verdict(pair: Pair) -> Verdict:
    found = pair.verdict
    difference = found.difference  # of the lower to the higher, so below 0
    return Verdict(
        pair.dataset,
        pair.a,
        pair.b,
        found.word,
        lower_by=-difference.value,
        low=-difference.high,
        high=-difference.low,
        p_value=found.p_value,
        replicates=found.replicates,
        further=found.further,
        scope=difference.scope,
    )
