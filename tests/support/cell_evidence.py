"""Quantities of made-up cells with a known truth."""

from __future__ import annotations

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


def hue_histogram(degrees: float, chroma: float = 30.0) -> np.ndarray:
    histogram = np.zeros((IMAGES, HUE_BINS))
    histogram[:, int(degrees // (360 / HUE_BINS))] = chroma
    return histogram


def cell(seeds: int = 3, spread: float = 0.01, name: str = "unet", **predicted) -> CellEvidence:
    """Quantities equal to the truth but for those given, with a little variance over seeds and images."""
    rng = np.random.default_rng(0)
    truth = {
        "ciede2000": 10.0,
        "white_fraction": 0.4,
        "sharpness": 1.0,
        "hue_entropy": 2.0,
        "saturation": 20.0,
    }
    evaluations = []
    for _ in range(seeds):
        one = {"index": np.arange(IMAGES)}
        for quantity, value in truth.items():
            one[quantity] = np.full(IMAGES, predicted.get(quantity, value)) + spread * rng.standard_normal(
                IMAGES
            )
            one[f"{quantity}_true"] = np.full(IMAGES, value)
        one["hue_histogram_true"] = hue_histogram(130)
        one["hue_histogram"] = hue_histogram(predicted.get("hue", 130)) * rng.uniform(0.9, 1.1, (IMAGES, 1))
        one["a_star_error"] = rng.standard_normal(IMAGES)
        one["kept_ciede2000"] = one["ciede2000"]
        evaluations.append(one)
    finals = tuple(trial(number, role="final", collapsed=False) for number in range(seeds))
    return CellEvidence("fruit", name, finals, tuple(evaluations))
