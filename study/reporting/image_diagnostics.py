"""The original observations as numbers: seen, not seen or not decided, each by a stated threshold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.metrics import OBJECTIVE
from models.metrics.image import HUE_BINS
from study.comparison.finals import CellEvidence, Evidence
from study.comparison.summary import metric_interval
from study.reporting.answer import Pair, compare_pairs, difference_text, p_text
from study.statistics import Decision, Interval, decide, mean_interval, ratio_interval

WHITE_COLLAPSE = 0.5
"""White collapse: more than this share of the truth's coloured area came out white."""
BLURRED = 0.5
"""Blur: less than this share of the truth's sharpness (variance of the Laplacian) is left."""
FEW_HUES = 0.8
"""Few learnt colours: less than this share of the truth's hue entropy is left."""
DESATURATED = 0.7
"""Desaturation: less than this share of the truth's mean chroma is left."""
TURNED_RED = 0.0
"""Green turned red: the mean a* of green images, as a share of the truth's, fell below this."""
GREEN_HUES = (100.0, 220.0)
"""Mean Lab hue in degrees of an image or a category that counts as green."""

Side = Literal["above", "below"]


@dataclass(frozen=True)
class Measurement:
    """What this study measured in one cell, or between cells.

    Attributes:
        where: Dataset and architecture.
        value: The number with its interval, in words.
        verdict: By the diagnosis's threshold.
        remark: What else a reader should know; may be empty.
    """

    where: str
    value: str
    verdict: Decision
    remark: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """One of the original observations, put to the test.

    Attributes:
        title: What it is about.
        originally: What was observed before this study.
        rule: What is measured and when it counts as seen.
        rows: One per cell; empty if nothing could be measured.
    """

    title: str
    originally: str
    rule: str
    rows: tuple[Measurement, ...]


def image_diagnoses(evidence: Evidence) -> list[Diagnosis]:
    """All diagnoses that are made from the finals' test quantities."""
    return [
        Diagnosis(
            "Best architecture",
            "The U-Net was best on dataset 1 (scenes).",
            "Seen where the U-Net has the lowest mean ΔE₀₀ and every difference is decided "
            "(Holm-corrected p < 0.05); "
            "not seen where another architecture is decidedly better.",
            tuple(row for dataset in evidence.datasets if (row := _unet_best(evidence, dataset))),
        ),
        Diagnosis(
            "White collapse",
            "Koalarization's pictures were completely white on dataset 2 (fruit).",
            "White beyond the truth's, as a share of the truth's area that is not white: 1 "
            "is all white, 0 as white as the "
            f"truth, below 0 less white. Seen above {WHITE_COLLAPSE:g}.",
            _per_cell(evidence, white_collapse, WHITE_COLLAPSE, "above"),
        ),
        Diagnosis(
            "Blur",
            "Koalarization's pictures were blurred.",
            f"Sharpness, predicted / true; seen below {BLURRED:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "sharpness"), BLURRED, "below"),
        ),
        Diagnosis(
            "Green turned red",
            "Green vegetables were coloured red.",
            "Mean a* of green images, predicted / true: 1 is as green as the truth, 0 no "
            "green left, below 0 red. Seen "
            f"below {TURNED_RED:g}. Green is a mean hue of {GREEN_HUES[0]:.0f}° to "
            f"{GREEN_HUES[1]:.0f}° in Lab.",
            _per_cell(
                evidence, greenness, TURNED_RED, "below", lambda cell: _green_categories(evidence, cell)
            ),
        ),
        Diagnosis(
            "Few learnt colours",
            "Only few colours were learnt.",
            f"Entropy of an image's hues, predicted / true; seen below {FEW_HUES:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "hue_entropy"), FEW_HUES, "below"),
        ),
        Diagnosis(
            "Desaturation",
            "Not stated; it is the common failing of a mean squared error.",
            f"Mean chroma, predicted / true; seen below {DESATURATED:g}.",
            _per_cell(evidence, lambda cell: _ratio(cell, "saturation"), DESATURATED, "below"),
        ),
    ]


def white_collapse(cell: CellEvidence) -> Interval:
    """Share of the coloured area that came out white: 0 as white as the truth, 1 all white."""
    truth = cell.scores("white_fraction_true")[0]
    return ratio_interval(cell.scores("white_fraction") - truth, 1 - truth)


def greenness(cell: CellEvidence, chosen: np.ndarray | None = None) -> Interval | None:
    """Mean a* of green images, predicted over true; None without such images.

    Args:
        cell: Its hue histograms hold the chroma by hue, so that their cosine sum is the mean a*.
        chosen: N flags of the images to use; by default those that are green by their own mean hue.
    """
    true_a, true_b = _mean_ab(cell.scores("hue_histogram_true")[0])
    if chosen is None:
        chosen = _is_green(true_a, true_b)
    if not chosen.any():
        return None
    predicted_a, _ = _mean_ab(cell.scores("hue_histogram")[:, chosen])
    return ratio_interval(predicted_a, true_a[chosen])


def _mean_ab(histogram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean a* and b* over pixels from …×36 chroma by hue."""
    angles = 2 * np.pi * (np.arange(HUE_BINS) + 0.5) / HUE_BINS
    return histogram @ np.cos(angles), histogram @ np.sin(angles)


def _is_green(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    hue = np.degrees(np.arctan2(b, a)) % 360
    green: np.ndarray = (np.hypot(a, b) > 0) & (hue >= GREEN_HUES[0]) & (hue <= GREEN_HUES[1])
    return green


def _green_categories(evidence: Evidence, cell: CellEvidence) -> str:
    """Every green category with its greenness and signed a* error."""
    facts = evidence.record.data["datasets"][cell.dataset]
    labels = np.asarray(facts.get("test_categories", []))
    if len(labels) != cell.scores().shape[1]:
        return ""
    histogram = cell.scores("hue_histogram_true")[0]
    error = cell.scores("a_star_error")
    parts = []
    for number, name in enumerate(facts["categories"]):
        chosen = labels == number
        if not chosen.any() or not _is_green(*(axis.mean() for axis in _mean_ab(histogram[chosen]))):
            continue
        interval = greenness(cell, chosen)
        if interval is not None:
            verdict = decide(interval.low, interval.high, TURNED_RED, "below")
            shift = mean_interval(error[:, chosen])
            parts.append(f"{name} {_text(interval)}, a* error {shift.value:+.1f}: {verdict}")
    return "; ".join(parts)


def _ratio(cell: CellEvidence, name: str) -> Interval | None:
    return metric_interval(cell, f"{name}_ratio")


def _per_cell(
    evidence: Evidence,
    measure: Callable[[CellEvidence], Interval | None],
    threshold: float,
    side: Side,
    remark: Callable[[CellEvidence], str] = lambda cell: "",
) -> tuple[Measurement, ...]:
    rows = []
    for cell in evidence.cells.values():
        interval = measure(cell)
        if interval is not None:
            verdict = decide(interval.low, interval.high, threshold, side)
            where = f"{cell.dataset} · {cell.architecture}"
            rows.append(Measurement(where, _text(interval), verdict, remark(cell)))
    return tuple(rows)


def _text(interval: Interval) -> str:
    if not math.isfinite(interval.value):
        return "not measurable: the truth has none"
    if not math.isfinite(interval.low):
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _unet_best(evidence: Evidence, dataset: str) -> Measurement | None:
    cells = sorted(evidence.of(dataset), key=lambda cell: float(np.nanmean(cell.scores(OBJECTIVE))))
    if len(cells) < 2 or "unet" not in [cell.architecture for cell in cells]:
        return None
    pairs = compare_pairs(evidence, dataset)
    best = cells[0].architecture
    if best == "unet":
        rivals = [pair for pair in pairs if pair.a == "unet"]
        verdict: Decision = "seen" if all(pair.verdict.word == "better" for pair in rivals) else "not decided"
    else:
        rivals = [pair for pair in pairs if pair.b == "unet"]
        verdict = "not seen" if any(pair.verdict.word == "better" for pair in rivals) else "not decided"
    return Measurement(dataset, "; ".join(map(_pair_text, rivals)), verdict)


def _pair_text(pair: Pair) -> str:
    by = difference_text(pair.verdict.difference)
    return f"{pair.a} {by} lower than {pair.b}, {p_text(pair.verdict.p_value)}, {pair.verdict.word}"
