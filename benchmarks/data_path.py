"""What the data path costs: an epoch of our batches, of a constant batch, and of a DataLoader over files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.measure import Options, Result, Spread, interleaved, ratio
from benchmarks.synthetic import ConstantBatch, image_set, write_jpegs
from data_utils.batches import Batches
from data_utils.features import StoredFeatures
from data_utils.image_set import ImageSet
from models.architectures import architecture, seeded_build
from models.learner import Learner
from models.settings import ModelSettings

BATCH = 16
STORED = 256  # side of the files that the DataLoader reads


class PillowFiles(Dataset[tuple[Tensor, Tensor]]):
    """The usual dataset: open, resize, flip at random, to tensors in [−1, 1]."""

    def __init__(self, paths: list[Path], size: int) -> None:
        self._paths, self._size = paths, size

    def __len__(self) -> int:
        """Number of files."""
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Grey 1×S×S and colour 3×S×S."""
        image = (
            Image.open(self._paths[index])
            .convert("RGB")
            .resize((self._size, self._size), Image.Resampling.LANCZOS)
        )
        if torch.rand(()) < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        colour = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float().div_(127.5).sub_(1)
        grey = torch.from_numpy(np.asarray(image.convert("L")).copy())[None].float().div_(127.5).sub_(1)
        return grey, colour


def run(options: Options) -> Result:
    """Every architecture, then the batches alone against the usual loop."""
    cuda = options.device.type == "cuda"
    count, size, width = (2048, 128, 64) if cuda else (320, 64, 8) if options.quick else (640, 64, 16)
    result = Result()
    images = image_set(count, size)
    worst = [epochs(result, options, name, images, width) for name in ("koalarization", "unet", "cgan")]
    result.goal(
        "epoch with our batches / with a constant batch ≤ 1.05, every architecture", max(worst), at_most=1.05
    )
    faster = _against_files(result, options, images, count, size)
    result.goal("images/s of our batches / DataLoader over files with 2 workers ≥ 20", faster, at_least=20)
    result.notes.append(
        f"{count} images of {size}×{size}, batch {BATCH}, width {width}, {options.repeats} interleaved repeats; the "
        f"DataLoader's JPEG files are {STORED}×{STORED}; its workers' start is not counted (persistent workers)."
    )
    return result


def epochs(result: Result, options: Options, name: str, images: ImageSet, width: int) -> float:
    """Add the rows of one architecture to a result.

    Args:
        result: Gets a row for images that lie on the device and one for images that are streamed to it.
        options: Device and number of repeats.
        name: Of the architecture, which takes no features or vectors.
        images: All of them are trained on.
        width: Of the networks.

    Returns:
        Time of an epoch from images on the device, over that of as many steps on one constant batch.
    """
    one = architecture(name)
    learner = seeded_build(one, ModelSettings(width=width), one.textbook, options.device, seed=0)
    count, size = len(images), images.size
    vectors = np.zeros((2, count, 512), np.float32) if one.features else None
    feed: dict[str, Callable[[], Iterator]] = {
        "resident": partial(_batches(images, options, vectors, streaming=False).epoch, 0),
        "streamed": partial(_batches(images, options, vectors, streaming=True).epoch, 0),
    }
    steps = count // BATCH
    constant = ConstantBatch.on(options.device, BATCH, size)
    feed["constant"] = lambda: iter([constant] * steps)
    seconds = interleaved(
        {key: partial(_epoch, learner, source) for key, source in feed.items()},
        options.repeats,
        options.device,
    )
    for key in ("resident", "streamed"):
        spread = ratio(seconds[key], seconds["constant"])
        result.rows.append(
            {"epoch of": f"{name}, {key}", "relative to": "one constant batch on the device", "time": spread}
        )
    return ratio(seconds["resident"], seconds["constant"]).median


def _batches(images: ImageSet, options: Options, vectors: np.ndarray | None, *, streaming: bool) -> Batches:
    everything = np.arange(len(images))
    features = None if vectors is None else StoredFeatures(vectors, options.device)
    return Batches(
        images, everything, BATCH, options.device, train=True, features=features, streaming=streaming
    )


def _epoch(learner: Learner, source: Callable[[], Iterator]) -> None:
    losses = [learner.train_step(batch) for batch in source()]
    torch.stack([torch.stack(list(one.values())) for one in losses]).cpu()


def _against_files(result: Result, options: Options, images: ImageSet, count: int, size: int) -> float:
    ours = _batches(images, options, None, streaming=False)
    with TemporaryDirectory() as folder:
        files = PillowFiles(write_jpegs(Path(folder), count, STORED), size)
        pin = options.device.type == "cuda"
        loader = DataLoader(
            files, BATCH, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True, pin_memory=pin
        )

        def from_files() -> None:
            for grey, colour in loader:
                grey.to(options.device, non_blocking=pin)
                colour.to(options.device, non_blocking=pin)

        work = {"ours": lambda: [None for _ in ours.epoch(0)], "files": from_files}
        seconds = interleaved(work, options.repeats, options.device)
    spread = ratio(seconds["files"], seconds["ours"])
    row = {"epoch of": "DataLoader over JPEG files, 2 workers", "relative to": "our batches", "time": spread}
    result.rows.append(row)
    speed = Spread.of([count / one for one in seconds["ours"]])
    result.notes.append(
        f"Our batches alone: {speed} images/s; the DataLoader: {count / median(seconds['files']):.3g}."
    )
    return spread.median
