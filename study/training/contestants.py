"""Pictures that other programs made of the test images, measured as the study's own predictions are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from data_utils.batches import Batches
from data_utils.decode_image import decode_colour, load_image
from data_utils.image_set import ImageSet
from data_utils.open_image import RefusedImage
from data_utils.splits import TEST
from models.learner import Features
from models.metrics.evaluation import evaluate
from study.settings.schema import StudySettings
from study.training.data import Prepared
from study.training.replicates import with_each_test_split

_BATCH = 64
_NAMED = 5
ASPECT = 0.03
"""Relative difference of two pictures' width by height up to which both show the same part."""


@dataclass(frozen=True)
class Entry:
    """What a program made of one dataset's test images.

    Attributes:
        quantities: Of the images that it has pictures of, as `evaluate` gives them; empty if there is none.
        remark: Which are missing or do not match, in a sentence; empty if none.
    """

    quantities: dict[str, np.ndarray]
    remark: str


def contestants(
    settings: StudySettings, prepared: Prepared, replicates: int, say: Callable[[str], None]
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Test quantities by (dataset, contestant), of those that have any picture.

    Args:
        settings: The study.
        prepared: Its data.
        replicates: How many there are, each of which may have test images of its own.
        say: Told what is missing or does not match.
    """
    found = {}
    for name, folder in settings.contestants.items():
        for dataset, images in prepared.images.items():
            splits = with_each_test_split(images, settings, replicates).values()
            entry = score_contestant(name, Path(folder), images, test_positions([*splits]))
            if entry.remark:
                say(entry.remark)
            if entry.quantities:
                found[dataset, name] = entry.quantities
    return found


def score_contestant(name: str, folder: Path, images: ImageSet, positions: np.ndarray) -> Entry:
    """Measure a folder of pictures.

    Args:
        name: The program's.
        folder: Pictures of any size, each named as the test image that it shows, whatever the suffix; in a folder of
            the dataset's name, if there is one, and in further folders as the test images are.
        images: The dataset.
        positions: Of the test images, int64.
    """
    own = folder / images.name if (folder / images.name).is_dir() else folder
    pictures = _by_stem(own)
    found: dict[int, np.ndarray] = {}
    missing, wrong = [], []
    for position in positions.tolist():
        path = _picture(pictures, images.files[position])
        if path is None:
            missing.append(images.files[position])
            continue
        decoded = _decoded(path, images, position)
        if decoded is None:
            wrong.append(path.relative_to(folder).as_posix())
        else:
            found[position] = decoded
    return Entry(_measured(images, found), _remark(name, images.name, len(positions), missing, wrong))


def test_positions(splits: Sequence[ImageSet]) -> np.ndarray:
    """Every image that is a test image in any of a study's splits."""
    return np.unique(np.concatenate([one.indices(TEST) for one in splits]))


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    pictures = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            pictures[path.stem].append(path)
    return pictures


def _picture(pictures: dict[str, list[Path]], file: str) -> Path | None:
    """The picture of a test image; of several with its stem that in the folder of its name."""
    wanted = PurePosixPath(file)
    candidates = pictures.get(wanted.stem, [])
    if len(candidates) > 1:
        candidates = [one for one in candidates if one.parent.name == wanted.parent.name]
    return candidates[0] if len(candidates) == 1 else None


def _decoded(path: Path, images: ImageSet, position: int) -> np.ndarray | None:
    """size×size×3 uint8; None if it is no picture, or of another shape than the test image."""
    try:
        width, height = load_image(path, "RGB").size
        if len(images.original_size):
            true_width, true_height = images.original_size[position].tolist()
            if abs(width * true_height / (height * true_width) - 1) > ASPECT:
                return None
        return decode_colour(path, images.size)
    except RefusedImage:
        return None


def _measured(images: ImageSet, found: dict[int, np.ndarray]) -> dict[str, np.ndarray]:
    if not found:
        return {}
    batches = Batches(images, np.array(sorted(found)), _BATCH, torch.device("cpu"), train=False)
    pictures: Iterator[np.ndarray] = (found[position] for position in sorted(found))

    def predict(grey: Tensor, _: Features | None) -> Tensor:
        pixels = np.stack([next(pictures) for _ in range(len(grey))])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1

    return evaluate(predict, batches)


def _remark(name: str, dataset: str, count: int, missing: list[str], wrong: list[str]) -> str:
    parts = []
    if missing:
        parts.append(f"no picture of {len(missing)} of {count} test images of {dataset} ({_listed(missing)})")
    if wrong:
        parts.append(
            f"{len(wrong)} that are no picture, or of another shape than the test image ({_listed(wrong)})"
        )
    return f"{name} has {' and '.join(parts)}; it is scored on the others." if parts else ""


def _listed(files: list[str]) -> str:
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(files[:_NAMED]) + more
