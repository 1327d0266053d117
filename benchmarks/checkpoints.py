"""Training time lost to saving: epochs with and without a checkpoint after each, the default interval."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Options, Result, interleaved, ratio
from benchmarks.synthetic import image_set
from benchmarks.training_step import our_learner
from data_utils.batches import Batches
from models.checkpoint import save_checkpoint
from models.learner import Learner

BATCH = 16


def run(options: Options) -> Result:
    """U-Net; a checkpoint is the learner's tensors and the best generator so far, on a local disk."""
    cuda = options.device.type == "cuda"
    cases = [(64, 128, 4500)] if cuda else [(8, 64, 320)] if options.quick else [(8, 64, 640), (32, 64, 640)]
    result = Result()
    worst = 0.0
    for width, size, count in cases:
        batches = Batches(image_set(count, size), np.arange(count), BATCH, options.device, train=True)
        learner = our_learner("unet", width, options.device)
        with TemporaryDirectory() as folder:
            work = {
                "train": partial(_epoch, learner, batches),
                "save": partial(_save, learner, Path(folder) / "last"),
            }
            seconds = interleaved(work, min(options.repeats, 7), options.device)
        lost = ratio(seconds["save"], seconds["train"])
        worst = max(worst, lost.median)
        row = {"width": width, "size": size, "images an epoch": count, "saving / training of an epoch": lost}
        result.rows.append(row)
    result.goal("training time lost to saving after every epoch ≤ 0.03", worst, at_most=0.03)
    result.notes.append("Without validation, which makes the share of saving smaller still.")
    return result


def _epoch(learner: Learner, batches: Batches) -> None:
    for batch in batches.epoch(0):
        learner.train_step(batch)


def _save(learner: Learner, folder: Path) -> None:
    best = {f"best/{name}": value for name, value in learner.generator_tensors().items()}
    save_checkpoint(folder, {**learner.tensors(), **best}, {"epoch": 1, "history": []})
