"""Pictures of the test split, chosen by a rule and never by hand."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from data_utils.pictures import load_sheet
from models.errors import ModelError
from models.metrics import INDEX
from models.metrics.kid import Distance, features_of, inception, kernel_distance
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
    """The stored test pictures of a dataset, in the order of the cells' scores.

    Attributes:
        grey: N×side×side×3 uint8.
        truth: Likewise.
        predictions: Likewise, by architecture; of the final with the lowest validation objective that has the image.
        errors: Objective of these predictions (N) by architecture, NaN where no final has the image.
    """

    grey: np.ndarray
    truth: np.ndarray
    predictions: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]


def load_pictures(evidence: Evidence, dataset: str) -> Pictures | None:
    """The pictures that a dataset's finals stored; None if there are none (no finals, or an older study)."""
    cells = evidence.of(dataset)
    run = evidence.record.run_id(STUDY_RUN)
    if not cells or run is None:
        return None
    splits = {
        final.replicate if evidence.record.rotates else 1: one[INDEX]
        for cell in cells
        for final, one in zip(cell.finals, cell.evaluations, strict=True)
    }
    try:
        grey, truth = (
            _placed(cells[0].images, [(index, _sheet(evidence, run, path(dataset, replicate), len(index)))
                                      for replicate, index in splits.items()])
            for path in (grey_path, truth_path)
        )  # fmt: skip
        shown = {cell.architecture: _predictions(evidence, cell) for cell in cells}
    except StudyError:
        return None
    return Pictures(
        grey,
        truth,
        {name: pictures for name, (pictures, _) in shown.items()},
        {name: errors for name, (_, errors) in shown.items()},
    )


def _predictions(evidence: Evidence, cell: CellEvidence) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and their objective; where all finals have the same images, those of one final."""
    pairs = sorted(
        zip(cell.finals, cell.evaluations, strict=True),
        key=lambda pair: (np.inf if pair[0].best is None else pair[0].best, pair[0].number),
    )
    pairs = pairs if evidence.record.rotates else pairs[:1]
    sheets = [
        (one[INDEX], _sheet(evidence, final.run_id, PREDICTIONS, len(one[INDEX]))) for final, one in pairs
    ]
    errors = np.full(len(cell.images), np.nan)
    for _, one in reversed(pairs):  # the first one counts
        errors[np.searchsorted(cell.images, one[INDEX])] = one[cell.objective]
    return _placed(cell.images, sheets), errors


def _placed(images: np.ndarray, sheets: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """One picture per image from sheets of some of them each; the first that has it counts, none is black."""
    placed = np.zeros((len(images), *sheets[0][1].shape[1:]), dtype=np.uint8)
    for index, pictures in reversed(sheets):
        placed[np.searchsorted(images, index)] = pictures
    return placed


def _sheet(evidence: Evidence, run: str, path: str, count: int) -> np.ndarray:
    with TemporaryDirectory() as folder:
        return load_sheet(evidence.record.download(run, path, Path(folder)), count)


def ranked(cells: list[CellEvidence]) -> np.ndarray:
    """Positions of the test images that all architectures have, from the lowest mean objective to the highest."""
    mean = mean_objective(cells)
    return np.argsort(mean, kind="stable")[: np.isfinite(mean).sum()]  # NaN comes last


def mean_objective(cells: list[CellEvidence]) -> np.ndarray:
    """Objective per image (N): mean over each architecture's finals, then over the architectures.

    NaN where an architecture has no final with this test image.
    """
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of images without any score
        mean: np.ndarray = np.mean([np.nanmean(cell.scores(), axis=0) for cell in cells], axis=0)
    return mean


def samples(evidence: Evidence, dataset: str, pictures: Pictures) -> list[Sample]:
    """The images at the ranks of `RANKS`, in all versions."""
    cells = evidence.of(dataset)
    order, mean = ranked(cells), mean_objective(cells)
    files = _files(evidence, cells)
    found: dict[int, Sample] = {}
    for rank, quantile in RANKS.items() if len(order) else ():
        position = int(order[round(quantile * (len(order) - 1))])
        predictions = {
            name: (data_uri(shown[position]), float(pictures.errors[name][position]))
            for name, shown in pictures.predictions.items()
        }
        found.setdefault(
            position,
            Sample(
                rank,
                files.get(int(cells[0].images[position]), ""),
                float(mean[position]),
                data_uri(pictures.grey[position]),
                data_uri(pictures.truth[position]),
                predictions,
            ),
        )
    return list(found.values())


def _files(evidence: Evidence, cells: list[CellEvidence]) -> dict[int, str]:
    """The file of each test image by its position in the dataset, where they were recorded."""
    found: dict[int, str] = {}
    for cell in cells:
        for final, one in zip(cell.finals, cell.evaluations, strict=True):
            files, _ = evidence.record.test_images(cell.dataset, final.replicate)
            found |= dict(zip(one[INDEX].tolist(), files, strict=False))
    return found


def distances(pictures: Mapping[str, Pictures | None]) -> tuple[dict[str, dict[str, Distance]], str]:
    """The kernel inception distance of the stored pictures from the true ones, an extra.

    Args:
        pictures: By dataset.

    Returns:
        By dataset and architecture, and why there is none, in a sentence; one of them is empty.
    """
    device = torch.device("cpu")
    try:
        network = inception(device)
    except ModelError as error:
        return {}, str(error)
    found: dict[str, dict[str, Distance]] = {}
    for dataset, one in pictures.items():
        if one is not None:
            truth = features_of(one.truth, network, device)
            found[dataset] = {
                name: kernel_distance(features_of(shown, network, device), truth)
                for name, shown in one.predictions.items()
                if np.isfinite(one.errors[name]).all()
            }
    return found, ""


def data_uri(picture: np.ndarray) -> str:
    """side×side×3 uint8 as an address that holds the picture itself."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
