"""The verdict without the test images that show a picture of the training set."""

from __future__ import annotations

from dataclasses import dataclass

from study.comparison.finals import Evidence
from study.comparison.pairs import Pair, compare_pairs, lead_sentence, listed, mean_score
from study.comparison.summary import score_interval
from study.statistics import Interval

_NAMED = 4


@dataclass(frozen=True)
class Leaks:
    """A dataset's results with and without near-duplicates.

    Attributes:
        files: The test images in question.
        scores: By architecture, the mean objective of all test images and of the others alone.
        pairs: With all images and without them, in the order of the former.
    """

    dataset: str
    files: tuple[str, ...]
    scores: dict[str, tuple[Interval, Interval]]
    pairs: tuple[tuple[Pair, Pair], ...]


def leaks(evidence: Evidence, dataset: str) -> Leaks | None:
    """Both tables of a dataset; None where its test split has no image of the training set, or nothing else."""
    positions = evidence.leaks(dataset)
    cells = evidence.of(dataset)
    if not cells or not 0 < len(positions) < len(cells[0].images):
        return None
    clean = evidence.without_leaks()
    files = dict(
        zip(cells[0].evaluations[0]["index"].tolist(), evidence.record.test_images(dataset)[0], strict=False)
    )
    scores = {
        cell.architecture: (
            score_interval(cell.objective, cell.scores(), evidence.categories(dataset)),
            score_interval(cell.objective, other.scores(), clean.categories(dataset)),
        )
        for cell, other in zip(cells, clean.of(dataset), strict=True)
    }
    without = {frozenset((one.a, one.b)): one for one in compare_pairs(clean, dataset)}
    pairs = tuple((one, without[frozenset((one.a, one.b))]) for one in compare_pairs(evidence, dataset))
    named = tuple(files.get(one, str(one)) for one in positions)
    return Leaks(dataset, named, scores, pairs)


def leak_sentence(evidence: Evidence, dataset: str) -> str:
    """How many test images were seen in training, which, and what the verdict is without them; empty if none."""
    found = leaks(evidence, dataset)
    if found is None:
        return ""
    cells = evidence.of(dataset)
    clean = sorted(evidence.without_leaks().of(dataset), key=mean_score)
    before = lead_sentence(min(cells, key=mean_score).architecture, [one for one, _ in found.pairs], dataset)
    after = lead_sentence(clean[0].architecture, [one for _, one in found.pairs], dataset)
    shown = list(found.files[:_NAMED])
    more = len(found.files) - len(shown)
    names = (
        listed(shown + ([f"{more} more"] if more else []), "and") if len(shown) + bool(more) > 1 else shown[0]
    )
    same = "the verdict is the same" if before == after else f"the verdict would be: {after.rstrip('.')}"
    count = f"{len(found.files)} of {len(cells[0].images)} test images"
    return f"{count} also stand in the training set, re-saved, resized or mirrored ({names}); without them {same}."
