"""The original observations as numbers: seen, not seen or not decided, each by a stated threshold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from models.metrics.collapse import LEAST_CHROMA_VARIANCE
from models.metrics.image import CHROMA_FLOOR
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.pairs import INCOMPARABLE, Pair, compare_pairs, difference_text, p_text
from study.comparison.summary import metric_interval
from study.reporting.diagnostics.diagnosis import Diagnosis, Measurement, interval_text
from study.statistics import Decision, Interval, decide, mean_interval, ratio_interval

WHITE_COLLAPSE = 0.5
"""White collapse: less than this share of the truth's distance to white is left."""
BLURRED = 0.5
"""Blur: the detail of luma agrees less than this with the truth's."""
FEW_HUES = 0.8
"""Few learnt colours: less than this share of the entropy of the truth's hues is left."""
DESATURATED = 0.7
"""Desaturation: less than this share of the truth's mean chroma is left."""
ONE_TINT = 0.05
"""Share of the truth's variance between images below which all images have one tint."""
TURNED_RED = 0.0
"""Green turned red: green images are redder than the yardstick, as a share of the truth's a*."""
GREEN_HUES = (100.0, 220.0)
"""Mean Lab hue in degrees of an image or a category that counts as green."""

Side = Literal["above", "below"]


def image_diagnoses(evidence: Evidence) -> list[Diagnosis]:
    """All diagnoses that are made from the finals' test quantities."""
    return [
        Diagnosis(
            "Best architecture",
            "The U-Net was best on dataset 1 (scenes).",
            "Seen where the U-Net has the lowest mean ΔE₀₀ and every difference is decided "
            "(corrected p < 0.05); "
            "not seen where another architecture is decidedly better.",
            tuple(row for dataset in evidence.datasets if (row := _unet_best(evidence, dataset))),
        ),
        Diagnosis(
            "White collapse",
            "Koalarization's pictures were completely white on dataset 2 (fruit).",
            "Distance to white in Lab where the truth shows an object, predicted / true: 0 is all white, 1 as far from "
            f"white as the truth. Seen below {WHITE_COLLAPSE:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "white_distance"), WHITE_COLLAPSE, "below"),
        ),
        Diagnosis(
            "Collapse to one colour",
            "Not stated; a training can end in one colour other than white.",
            "Variance of a* and b* over all pixels of all images, predicted / true; seen below "
            f"{LEAST_CHROMA_VARIANCE:g}.",
            _per_cell(evidence, chroma_variance, LEAST_CHROMA_VARIANCE, "below"),
        ),
        Diagnosis(
            "Blur",
            "Koalarization's pictures were blurred.",
            "Agreement of the detail (luma less its mean over 5×5 pixels) of prediction and truth: 1 is the truth's "
            f"own, 0 none. Seen below {BLURRED:g}.",
            _per_cell(evidence, lambda cell: metric_interval(cell, "detail"), BLURRED, "below"),
        ),
        Diagnosis(
            "Green turned red",
            "Green vegetables were coloured red.",
            "Mean a* of green images, predicted / true: 1 is as green as the truth, 0 no green left, below 0 red. "
            "Seen where they are redder than the grey copy and than the best tint, and one tint of all images does not "
            f"explain it: their mean colours vary by more than {ONE_TINT:g} of the truth's variance. Green is a mean "
            f"hue of {GREEN_HUES[0]:.0f}° to {GREEN_HUES[1]:.0f}° in Lab.",
            tuple(row for cell in evidence.cells.values() if (row := turned_red(evidence, cell))),
        ),
        Diagnosis(
            "Few learnt colours",
            "Only few colours were learnt.",
            f"Entropy of the hues of all images together, where chroma is above noise ({CHROMA_FLOOR:g} over 4×4 "
            f"pixels), predicted / true; seen below {FEW_HUES:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "pooled_hue_entropy"), FEW_HUES, "below"),
        ),
        Diagnosis(
            "Desaturation",
            "Not stated; it is the common failing of a mean squared error.",
            f"Mean chroma, predicted / true; seen below {DESATURATED:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "saturation"), DESATURATED, "below"),
        ),
    ]


def chroma_variance(cell: CellEvidence) -> Interval | None:
    """Variance of a* and b* over all pixels of the test images, predicted over true; None if it was not measured."""
    if not cell.has("chroma_square"):
        return None
    names = ("a_star", "b_star", "chroma_square")
    predicted, truth = map(cell.scores, names), map(cell.truth, names)
    return ratio_interval(_about_the_mean(*predicted), _about_the_mean(*truth))


def _about_the_mean(a: np.ndarray, b: np.ndarray, square: np.ndarray) -> np.ndarray:
    """What each image adds to the variance: …×images from means of a*, of b* and of a*² + b*² likewise."""
    mean_a, mean_b = (np.nanmean(one, axis=-1, keepdims=True) for one in (a, b))
    found: np.ndarray = square - 2 * (a * mean_a + b * mean_b) + mean_a**2 + mean_b**2
    return found


def turned_red(evidence: Evidence, cell: CellEvidence) -> Measurement | None:
    """The a* of green images beside predictions that need no learning; None without such images."""
    if not cell.has("a_star"):
        return None
    chosen = _is_green(cell.truth("a_star"), cell.truth("b_star"))
    if not chosen.any():
        return None
    found, varied, beside = greenness(cell, chosen), told_apart(cell), []
    decisions = [decide(varied.low, varied.high, ONE_TINT)]
    for name, a_star in _yardsticks(evidence, cell).items():
        reference = ratio_interval(a_star[chosen], cell.truth("a_star")[chosen])
        beside.append(f"{name} {reference.value:z.2f}")
        margin = _share(cell, cell.scores("a_star") - a_star, chosen)
        decisions.append(decide(margin.low, margin.high, TURNED_RED, "below"))
    verdict: Decision = "not seen" if "not seen" in decisions else "not decided"
    if all(one == "seen" for one in decisions):
        verdict = "seen"
    parts = [
        f"beside it: {', '.join(beside)}",
        f"images are told apart by {interval_text(varied)} of the truth's variance",
    ]
    remark = "; ".join([*parts, *_green_categories(evidence, cell)])
    return Measurement(f"{cell.dataset} · {cell.architecture}", interval_text(found), verdict, remark)


def told_apart(cell: CellEvidence) -> Interval:
    """Variance between images of their mean colour, predicted over true: near 0 for one tint on all of them."""
    (a, b), (true_a, true_b) = map(cell.scores, ("a_star", "b_star")), map(cell.truth, ("a_star", "b_star"))
    return ratio_interval(
        _about_the_mean(a, b, a**2 + b**2), _about_the_mean(true_a, true_b, true_a**2 + true_b**2)
    )


def greenness(cell: CellEvidence, chosen: np.ndarray) -> Interval:
    """Mean a* of the chosen images (N flags), predicted over true."""
    return _share(cell, cell.scores("a_star"), chosen)


def _share(cell: CellEvidence, a_star: np.ndarray, chosen: np.ndarray) -> Interval:
    """The mean of a* (finals × images) over the truth's."""
    return ratio_interval(a_star[:, chosen], cell.truth("a_star")[chosen])


def _yardsticks(evidence: Evidence, cell: CellEvidence) -> dict[str, np.ndarray]:
    """The a* of each image (N) in predictions that know nothing of green things."""
    trivial = evidence.trivial(cell.dataset)
    known = [name for name in ("grey copy", "best tint") if "a_star" in trivial.get(name, {})]
    return {name: cell.of_images(trivial[name], "a_star") for name in known}


def _is_green(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    hue = np.degrees(np.arctan2(b, a)) % 360
    green: np.ndarray = (np.hypot(a, b) >= CHROMA_FLOOR) & (hue >= GREEN_HUES[0]) & (hue <= GREEN_HUES[1])
    return green


def _green_categories(evidence: Evidence, cell: CellEvidence) -> list[str]:
    """Every green category with its greenness and signed a* error."""
    labels = evidence.labels(cell.dataset)
    if labels is None:
        return []
    error, parts = cell.scores("a_star_error"), []
    for number, name in enumerate(evidence.record.data["datasets"][cell.dataset]["categories"]):
        chosen = labels == number
        means = [cell.truth(axis)[chosen].mean() for axis in ("a_star", "b_star")] if chosen.any() else []
        if means and _is_green(*means):
            shift = mean_interval(error[:, chosen])
            parts.append(f"{name} {interval_text(greenness(cell, chosen))}, a* error {shift.value:+.1f}")
    return parts


def _ratio(cell: CellEvidence, name: str) -> Interval | None:
    return metric_interval(cell, f"{name}_ratio")


def _per_cell(
    evidence: Evidence,
    measure: Callable[[CellEvidence], Interval | None],
    threshold: float,
    side: Side,
) -> tuple[Measurement, ...]:
    rows = []
    for cell in evidence.cells.values():
        interval = measure(cell)
        if interval is not None:
            verdict = decide(interval.low, interval.high, threshold, side)
            where = f"{cell.dataset} · {cell.architecture}"
            rows.append(Measurement(where, interval_text(interval), verdict))
    return tuple(rows)


def _unet_best(evidence: Evidence, dataset: str) -> Measurement | None:
    cells = sorted(evidence.of(dataset), key=lambda cell: float(np.nanmean(cell.scores())))
    if len(cells) < 2 or "unet" not in [cell.architecture for cell in cells]:
        return None
    pairs = compare_pairs(evidence, dataset)
    best = cells[0].architecture
    if best == "unet":
        rivals = [pair for pair in pairs if pair.a == "unet"]
        verdict: Decision = "seen" if all(_better(pair) for pair in rivals) else "not decided"
    else:
        rivals = [pair for pair in pairs if pair.b == "unet"]
        verdict = "not seen" if any(_better(pair) for pair in rivals) else "not decided"
    return Measurement(dataset, "; ".join(map(_pair_text, rivals)), verdict)


def _better(pair: Pair) -> bool:
    return pair.verdict.word == "better" and pair.verdict.decided


def _pair_text(pair: Pair) -> str:
    verdict = pair.verdict
    if math.isnan(verdict.difference.value):
        return f"{pair.a} not comparable with {pair.b}, since {INCOMPARABLE}"
    alone = "" if verdict.difference.scope == "architecture" else " in one replicate alone"
    by = difference_text(verdict.difference)
    return f"{pair.a} {by} lower than {pair.b}, {p_text(verdict.p_value)}, {verdict.word}{alone}"
