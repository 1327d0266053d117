"""Koalarization with the VGG16 vectors of each image computed once, and with VGG16 in every step."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.measure import Options, Result, Spread, interleaved, ratio
from benchmarks.synthetic import ConstantBatch, image_set
from data_utils.batches import Batches
from data_utils.features import StoredFeatures
from data_utils.image_set import ImageSet
from models.architectures import architecture, seeded_build
from models.learner import Learner
from models.settings import ModelSettings
from models.vgg import VGG16Features, image_vectors

BATCH = 16
DEMO_WIDTH, FULL_WIDTH = 8, 64


def run(options: Options) -> Result:
    """An epoch at the demo's width and at the paper's; the weights are random, which costs the same."""
    cuda = options.device.type == "cuda"
    count, size = (1024, 128) if cuda else (64, 64)
    repeats = min(options.repeats, 5)
    images = image_set(count, size)
    result = Result()
    bounds = {DEMO_WIDTH: 0.3, FULL_WIDTH: 0.7}
    for width, bound in bounds.items():
        spread = cached_over_computed(images, width, repeats, options.device)
        result.rows.append({"width": width, "epoch with cached vectors / with VGG16 in every step": spread})
        result.goal(f"width {width}: cached / every step ≤ {bound}", spread.median, at_most=bound)
    once = interleaved(
        {"once": lambda: image_vectors(images.grey, "random", options.device)}, 1, options.device
    )
    result.notes.append(
        f"{count} images of {size}×{size}, batch {BATCH}, {repeats} interleaved repeats. Computing the vectors once, "
        f"plain and mirrored, takes {once['once'][0] / count * 1e3:.3g} ms an image on this machine."
    )
    return result


def cached_over_computed(images: ImageSet, width: int, repeats: int, device: torch.device) -> Spread:
    """Time of an epoch with cached vectors, over that with VGG16 in every step."""
    one = architecture("koalarization")
    learner = seeded_build(one, ModelSettings(width=width), one.textbook, device, seed=0)
    features = StoredFeatures(np.zeros((2, len(images), 512), np.float32), device)
    batches = Batches(images, np.arange(len(images)), BATCH, device, train=True, features=features)
    vgg = VGG16Features("random").to(device)
    work = {
        "cached": partial(_cached, learner, batches),
        "every step": partial(_every_step, learner, batches, vgg),
    }
    seconds = interleaved(work, repeats, device)
    return ratio(seconds["cached"], seconds["every step"])


def _cached(learner: Learner, batches: Batches) -> None:
    for batch in batches.epoch(0):
        learner.train_step(batch)


def _every_step(learner: Learner, batches: Batches, vgg: VGG16Features) -> None:
    for batch in batches.epoch(0):
        grey = ((batch.grey[:, 0] + 1) * 127.5).to(torch.uint8)
        learner.train_step(ConstantBatch(batch.grey, batch.colour, vgg(grey)))
