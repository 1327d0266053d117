"""One architecture in two studies, judged on the test images that both have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from models.metrics import INDEX
from study.comparison.finals import CellEvidence, Evidence
from study.statistics import Interval, Verdict, mean_interval, verdicts

A, B = "first", "second"
_FEWEST_IMAGES = 5
_TRUTH = "_true"


@dataclass(frozen=True)
class Sides:
    """An architecture on a dataset in two studies.

    Attributes:
        a: Test objective in the first study; None if it has no finals there.
        b: In the second.
        images: Number of test images that both have.
        verdict: Of `A` and `B` on these images; None where they cannot be compared.
        why_not: The reason, if they cannot.
    """

    dataset: str
    architecture: str
    a: Interval | None
    b: Interval | None
    images: int = 0
    verdict: Verdict | None = None
    why_not: str = ""


def compare_studies(a: Evidence, b: Evidence) -> list[Sides]:
    """Every architecture that has finals in either study, each comparison by itself at the 5 % level.

    Replicates of two studies are independent, and images are paired by their files. Both sides count as the same
    measurement only where objective, image size and what the evaluations say of the true images are equal.
    """
    return [
        _sides(a, b, dataset, architecture) for dataset, architecture in dict.fromkeys([*a.cells, *b.cells])
    ]


def _sides(a: Evidence, b: Evidence, dataset: str, architecture: str) -> Sides:
    cell_a, cell_b = a.cells.get((dataset, architecture)), b.cells.get((dataset, architecture))
    both = partial(Sides, dataset, architecture, _mean(a, cell_a), _mean(b, cell_b))
    if cell_a is None or cell_b is None:
        return both(why_not="in one study alone")
    if reason := _other_measurement(a, b):
        return both(why_not=reason)
    scores_a, scores_b = _by_file(a, cell_a), _by_file(b, cell_b)
    if scores_a.empty or scores_b.empty:
        return both(why_not="every training of a study collapsed")
    common = scores_a.columns.intersection(scores_b.columns)
    if len(common) < _FEWEST_IMAGES:
        return both(len(common), why_not="no common test images")
    if not np.allclose(_truth(a, cell_a)[common], _truth(b, cell_b)[common], rtol=1e-4, atol=1e-6):
        return both(len(common), why_not="other images of the same names")
    count = min(len(scores_a), len(scores_b))
    (verdict,) = verdicts(
        {A: scores_a[common].to_numpy()[:count], B: scores_b[common].to_numpy()[:count]},
        looks=[count],
        most_replicates=count,
    )
    return both(len(common), verdict)


def _other_measurement(a: Evidence, b: Evidence) -> str:
    if a.record.objective != b.record.objective:
        return "other objective"
    sizes = {one.record.settings["model"]["image_size"] for one in (a, b)}
    return "other image size" if len(sizes) > 1 else ""


def _mean(evidence: Evidence, cell: CellEvidence | None) -> Interval | None:
    if cell is None:
        return None
    return mean_interval(cell.scores(), categories=evidence.categories(cell.dataset))


def _files(evidence: Evidence, cell: CellEvidence) -> Iterator[tuple[int, dict[int, str]]]:
    """Each final's place and its test images' files by their positions; nothing of studies that did not record them."""
    for place, (final, quantities) in enumerate(zip(cell.finals, cell.evaluations, strict=True)):
        files, _ = evidence.record.test_images(cell.dataset, final.replicate)
        if files:
            yield place, dict(zip(quantities[INDEX].tolist(), files, strict=True))


def _by_file(evidence: Evidence, cell: CellEvidence) -> pd.DataFrame:
    """The objective of every final that did not collapse, replicates × files."""
    rows = [
        pd.Series(cell.evaluations[place][cell.objective], index=list(files.values()))
        for place, files in _files(evidence, cell)
        if not cell.finals[place].collapsed
    ]
    return pd.DataFrame(rows)


def _truth(evidence: Evidence, cell: CellEvidence) -> pd.DataFrame:
    """What the evaluations say of the true images, quantities × files."""
    frames = [
        pd.DataFrame(
            {
                name: values
                for name, values in cell.evaluations[place].items()
                if name.endswith(_TRUTH) and values.ndim == 1
            },
            index=list(files.values()),
        ).T
        for place, files in _files(evidence, cell)
    ]
    whole = pd.concat(frames, axis=1)
    return whole.loc[:, ~whole.columns.duplicated()]
