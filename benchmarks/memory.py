"""Host memory of a trial's process over what its networks need: is the dataset ever copied?"""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Options, Result
from benchmarks.synthetic import image_set
from benchmarks.training_step import our_learner
from data_utils.batches import Batches
from data_utils.image_set import ImageSet

BATCH = 16
MIB = 1024**2


def run(options: Options) -> Result:
    """Private memory of this process while it trains from memory-mapped arrays, as Ray's object store gives them."""
    count, size = (4000, 128) if options.quick else (20000, 128)
    with tempfile.TemporaryDirectory() as folder:
        images = mapped(image_set(count, size), Path(folder))
        gc.collect()
        learner = our_learner("unet", 8, options.device)
        few, all_over = np.arange(BATCH * 8), np.arange(0, count, count // (BATCH * 8))
        for _ in range(3):  # networks, optimizers, kernels and the allocator's own reserves
            _epoch(learner, _batches(images, few, options))
        before = _private_bytes()
        for _ in range(3):  # as many trials of one process
            _epoch(learner, _batches(images, all_over, options))
        grown = _private_bytes() - before
    size_of_set = images.grey.nbytes + images.colour.nbytes
    result = Result(
        rows=[
            {
                "dataset MiB": round(size_of_set / MIB),
                "private MiB before": round(before / MIB),
                "private MiB more, trained from it": round(grown / MIB, 1),
                "share of the dataset": round(grown / size_of_set, 3),
            }
        ]
    )
    result.goal("private memory that the dataset adds / its size ≤ 0.05", grown / size_of_set, at_most=0.05)
    result.notes.append(
        "Private memory: what /proc/self/smaps_rollup calls private and not backed by a file. On a GPU the dataset is "
        "copied to the device; in the host's memory it stays mapped."
    )
    return result


def mapped(images: ImageSet, folder: Path) -> ImageSet:
    """The same set, its pixels in files below `folder` and mapped from there."""
    arrays = {}
    for name in ("grey", "colour"):
        np.save(folder / f"{name}.npy", getattr(images, name))
        arrays[name] = np.load(folder / f"{name}.npy", mmap_mode="r")
    kept = {key: value for key, value in vars(images).items() if key not in arrays}
    return ImageSet(**kept, **arrays)


def _batches(images: ImageSet, indices: np.ndarray, options: Options) -> Batches:
    return Batches(images, indices, BATCH, options.device, train=True)


def _epoch(learner: object, batches: Batches) -> None:
    for batch in batches.epoch(0):
        torch.stack(list(learner.train_step(batch).values())).cpu()  # type: ignore[attr-defined]


def _private_bytes() -> int:
    """Anonymous memory of this process: heap and copies, not mapped files."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    return 0
