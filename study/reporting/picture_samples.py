"""Pictures of the test split, chosen by a rule and never by hand."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from data_utils.pictures import load_sheet
from models.metrics import OBJECTIVE
from study.comparison.finals import CellEvidence, Evidence
from study.errors import StudyError
from study.storage.paths import PREDICTIONS, grey_path, truth_path
from study.tracking.names import STUDY_RUN

RANKS = {"best": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "worst": 1.0}
RULE = (
    "The rows are the test images at fixed ranks (best, quartiles, median, worst) of ΔE₀₀, "
    "averaged over the finals of "
    "each architecture and then over the architectures; none is picked by hand. Of several "
    "finals the one with the "
    "lowest validation ΔE₀₀ is shown."
)


@dataclass(frozen=True)
class Sample:
    """One test image in all its versions.

    Attributes:
        rank: Name of its rank.
        file: The image's file, empty if not recorded.
        mean: ΔE₀₀ averaged over the architectures.
        grey: Address of the picture (a data URI).
        truth: Likewise.
        predictions: Architecture to (picture, ΔE₀₀ of the final shown).
    """

    rank: str
    file: str
    mean: float
    grey: str
    truth: str
    predictions: dict[str, tuple[str, float]]


@dataclass(frozen=True)
class Pictures:
    """The stored test pictures of a dataset: N×side×side×3 uint8 each, in the order of the evaluations."""

    grey: np.ndarray
    truth: np.ndarray
    predictions: dict[str, np.ndarray]


def load_pictures(evidence: Evidence, dataset: str) -> Pictures | None:
    """The pictures that a dataset's finals stored; None if there are none (no finals, or an older study)."""
    cells = evidence.of(dataset)
    run = evidence.record.run_id(STUDY_RUN)
    if not cells or run is None:
        return None
    count = cells[0].scores().shape[1]
    try:
        grey, truth = (
            _sheet(evidence, run, path, count) for path in (grey_path(dataset), truth_path(dataset))
        )
        predictions = {
            cell.architecture: _sheet(evidence, cell.shown.run_id, PREDICTIONS, count) for cell in cells
        }
    except StudyError:
        return None
    return Pictures(grey, truth, predictions)


def _sheet(evidence: Evidence, run: str, path: str, count: int) -> np.ndarray:
    with TemporaryDirectory() as folder:
        return load_sheet(evidence.record.download(run, path, Path(folder)), count)


def ranked(cells: list[CellEvidence]) -> np.ndarray:
    """Positions of the test images from the lowest mean objective over all architectures to the highest."""
    return np.argsort(mean_objective(cells), kind="stable")


def mean_objective(cells: list[CellEvidence]) -> np.ndarray:
    """Objective per image (N): mean over each architecture's finals, then over the architectures."""
    mean: np.ndarray = np.mean([cell.scores().mean(axis=0) for cell in cells], axis=0)
    return mean


def samples(evidence: Evidence, dataset: str, pictures: Pictures) -> list[Sample]:
    """The images at the ranks of `RANKS`, in all versions."""
    cells = evidence.of(dataset)
    order, mean = ranked(cells), mean_objective(cells)
    files = evidence.record.data["datasets"][dataset].get("test_files", [])
    found: dict[int, Sample] = {}
    for rank, quantile in RANKS.items():
        position = int(order[round(quantile * (len(order) - 1))])
        predictions = {
            cell.architecture: (
                data_uri(pictures.predictions[cell.architecture][position]),
                float(cell.evaluations[cell.finals.index(cell.shown)][OBJECTIVE][position]),
            )
            for cell in cells
        }
        file = files[position] if position < len(files) else ""
        found.setdefault(
            position,
            Sample(
                rank,
                file,
                float(mean[position]),
                data_uri(pictures.grey[position]),
                data_uri(pictures.truth[position]),
                predictions,
            ),
        )
    return list(found.values())


def data_uri(picture: np.ndarray) -> str:
    """side×side×3 uint8 as an address that holds the picture itself."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
