"""What `torch.compile` costs before the first step and gains in each: after how many steps it pays."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any

import torch
from torch.compiler import config as compiler

from benchmarks.measure import Options, Result, interleaved, ratio, seconds_of
from benchmarks.training_step import batch_for, our_learner, several

BATCH = 16
STEPS = 3


def run(options: Options) -> Result:
    """Our step of every architecture, as it is and compiled; every compilation from nothing."""
    cuda = options.device.type == "cuda"
    width, size = (64, 128) if cuda else (8, 32) if options.quick else (16, 64)
    result = Result()
    for name in ("koalarization", "unet", "cgan"):
        result.rows.append({"architecture": name, **compared(name, width, size, options)})
    torch.compiler.reset()
    result.notes.append(
        f"width {width}, {size}×{size}, batch {BATCH}, {options.repeats} interleaved repeats of {STEPS} steps; "
        "no compilation was taken from a cache. An epoch of 4500 images has 281 steps."
    )
    return result


def compared(name: str, width: int, size: int, options: Options, *, graphs: bool = False) -> dict[str, Any]:
    """Our step of one architecture, as it is and compiled from nothing.

    Args:
        name: Of the architecture.
        width: Of the networks.
        size: Side of the images in pixels.
        options: Device and number of repeats.
        graphs: Compile the generator alone, and replay it as CUDA graphs; else compile all networks, as a study does.
    """
    compiler.force_disable_caches = True
    batch = batch_for(name, options.device, BATCH, size)
    learner = our_learner(name, width, options.device, compiled=not graphs)
    if graphs:
        learner.generator.compile(mode="reduce-overhead")
    compiled = partial(learner.train_step, batch)
    plain = partial(our_learner(name, width, options.device).train_step, batch)
    warm = 3 if graphs else 2  # graphs are recorded in the third step
    warm_up = seconds_of(partial(several, compiled, warm), options.device)
    several(plain, warm)
    loss, expected = (float(next(iter(step().values()))) for step in (compiled, plain))
    work = {"plain": partial(several, plain, STEPS), "compiled": partial(several, compiled, STEPS)}
    seconds = interleaved(work, options.repeats, options.device)
    step = median(seconds["plain"]) / STEPS
    gain = step - median(seconds["compiled"]) / STEPS
    return {
        "compiled / plain step": ratio(seconds["compiled"], seconds["plain"]),
        "compilation / plain step": warm_up / step,
        "pays after steps": round(warm_up / gain) if gain > 0 else "never",
        "loss off by": abs(loss - expected) / abs(expected),
    }
