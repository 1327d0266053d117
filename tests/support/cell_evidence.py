"""Quantities of made-up cells with a known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from models.metrics.image import HUE_BINS
from study.comparison.finals import CellEvidence
from study.search.trial_spec import TrialState
from study.tracking.trial_record import TrialRecord

IMAGES = 40


def trial(number: int = 0, **changes) -> TrialRecord:
    values = {
        "key": f"fruit/cgan/{number}",
        "run_id": str(number),
        "dataset": "fruit",
        "architecture": "cgan",
        "role": "trial",
        "replicate": 1,
        "number": number,
        "state": TrialState.COMPLETE,
        "reason": "",
        "params": {},
        "seed": 0,
        "generator_from": None,
        "best": 10.0,
        "epochs": 4,
        "device_seconds": 4.0,
        "test": {},
        "started": 0,
        "ended": 1,
    }
    known = {
        name: value for name, value in {**values, **changes}.items() if name in TrialRecord.__annotations__
    }
    missing = set(TrialRecord.__annotations__) - set(known)
    return TrialRecord(**known, **dict.fromkeys(missing))


TRUE_HUES = (130, 40, 250, 310)
"""Mean hue in degrees of every fourth image each: green, orange, blue, purple."""
CHROMA = 30.0


def hues(degrees: Sequence[float]) -> dict[str, np.ndarray]:
    """Quantities of images of one hue each, these in turn."""
    angles = np.resize(np.asarray(degrees, dtype=float), IMAGES)
    histogram = np.zeros((IMAGES, HUE_BINS))
    histogram[np.arange(IMAGES), (angles // (360 / HUE_BINS)).astype(int) % HUE_BINS] = CHROMA
    radians = np.radians(angles)
    return {
        "hue_histogram": histogram,
        "a_star": CHROMA * np.cos(radians),
        "b_star": CHROMA * np.sin(radians),
        "chroma_square": np.full(IMAGES, CHROMA**2),
    }


def cell(seeds: int = 3, spread: float = 0.01, name: str = "unet", **predicted) -> CellEvidence:
    """Quantities equal to the truth but for those given, with a little variance over seeds and images."""
    rng = np.random.default_rng(0)
    truth = {
        "ciede2000": 10.0,
        "white_distance": 40.0,
        "detail": 1.0,
        "saturation": 20.0,
    }
    true_hues = hues(TRUE_HUES)
    predicted_hues = hues(predicted.get("hues", TRUE_HUES))
    evaluations = []
    for _ in range(seeds):
        one = {"index": np.arange(IMAGES)}
        for quantity, value in truth.items():
            one[quantity] = np.full(IMAGES, predicted.get(quantity, value)) + spread * rng.standard_normal(
                IMAGES
            )
            one[f"{quantity}_true"] = np.full(IMAGES, value)
        luck = rng.uniform(0.95, 1.05, IMAGES)
        for quantity, values in predicted_hues.items():
            one[quantity] = (values.T * (luck**2 if quantity == "chroma_square" else luck)).T
            one[f"{quantity}_true"] = true_hues[quantity]
        one["a_star_error"] = rng.standard_normal(IMAGES)
        one["kept_ciede2000"] = one["ciede2000"]
        evaluations.append(one)
    finals = tuple(trial(number, role="final", collapsed=False) for number in range(seeds))
    return CellEvidence("fruit", name, finals, tuple(evaluations))


def evidence(
    *cells: CellEvidence,
    categories: tuple[str, ...] = (),
    trivial: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> SimpleNamespace:
    """What the report reads of a study that has these cells on one dataset."""
    labels = np.arange(IMAGES) % len(TRUE_HUES) if categories else None
    trivial = trivial or {
        name: {"index": np.arange(IMAGES), "a_star": np.full(IMAGES, value)}
        for name, value in (("grey copy", 0.0), ("best tint", 3.0))
    }
    return SimpleNamespace(
        cells={("fruit", one.architecture): one for one in cells},
        datasets=["fruit"],
        of=lambda _: list(cells),
        categories=lambda _: None,
        labels=lambda _: labels,
        trivial=lambda _: trivial,
        record=SimpleNamespace(
            data={"datasets": {"fruit": {"categories": list(categories)}}},
            settings={},
            objective="ciede2000",
            looks=[],
            replicates=max(final.replicate for one in cells for final in one.finals),
            rotates=False,
        ),
    )
