"""What `torch.compile` costs before the first step and gains in each: after how many steps it pays."""

from __future__ import annotations

from functools import partial
from statistics import median

import torch
from torch.compiler import config as compiler

from benchmarks.measure import Options, Result, interleaved, ratio, seconds_of
from benchmarks.synthetic import ConstantBatch
from benchmarks.training_step import our_learner, several

BATCH = 16
STEPS = 3


def run(options: Options) -> Result:
    """Our step of every architecture, as it is and compiled; every compilation from nothing."""
    compiler.force_disable_caches = True
    cuda = options.device.type == "cuda"
    width, size = (64, 128) if cuda else (8, 32) if options.quick else (16, 64)
    result = Result()
    for name in ("koalarization", "unet", "cgan"):
        batch = ConstantBatch.on(options.device, BATCH, size)
        plain, compiled = (
            partial(our_learner(name, width, options.device, compiled=choice).train_step, batch)
            for choice in (False, True)
        )
        warm_up = seconds_of(partial(several, compiled, 2), options.device)
        work = {"plain": partial(several, plain, STEPS), "compiled": partial(several, compiled, STEPS)}
        seconds = interleaved(work, options.repeats, options.device)
        step = median(seconds["plain"]) / STEPS
        gain = step - median(seconds["compiled"]) / STEPS
        result.rows.append(
            {
                "architecture": name,
                "compiled / plain step": ratio(seconds["compiled"], seconds["plain"]),
                "compilation / plain step": warm_up / step,
                "pays after steps": round(warm_up / gain) if gain > 0 else "never",
            }
        )
    torch.compiler.reset()
    result.notes.append(
        f"width {width}, {size}×{size}, batch {BATCH}, {options.repeats} interleaved repeats of {STEPS} steps; "
        "no compilation was taken from a cache. An epoch of 4500 images has 281 steps."
    )
    return result
