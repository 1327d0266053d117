"""Several small trials on one GPU at the same time, each in a process of its own; needs a GPU."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from typing import Any

import torch

from benchmarks.measure import Goal, Options, Result, Spread
from benchmarks.synthetic import ConstantBatch
from benchmarks.training_step import our_learner

BATCH, SIZE = 16, 64
WIDTHS = (8, 32)
AT_ONCE = (1, 2, 4, 8)


def run(options: Options) -> Result:
    """Aggregate speed by number of processes; each is held to its fraction of the device's memory."""
    result = Result()
    if options.device.type != "cuda":
        result.goals.append(Goal("default trials per GPU chosen from the table", "no GPU", None))
        result.notes.append("Not run: packing is measured with --device cuda.")
        return result
    seconds = 5.0 if options.quick else 15.0
    for width in WIDTHS:
        alone = None
        for processes in AT_ONCE:
            speeds, memory = _together(processes, width, seconds)
            alone = alone or sum(speeds)
            result.rows.append(
                {
                    "width": width,
                    "trials at once": processes,
                    "images/s, all together": round(sum(speeds)),
                    "relative to one": round(sum(speeds) / alone, 2),
                    "images/s of a trial": Spread.of(speeds),
                    "device MiB of a trial, most": round(max(memory)),
                }
            )
    best = max(result.rows, key=lambda row: row["images/s, all together"])
    result.goals.append(
        Goal("default trials per GPU chosen from the table", f"most at {best['trials at once']}", True)
    )
    result.notes.append(
        f"U-Net at {SIZE}×{SIZE}, batch {BATCH}, {seconds:g} s each, MPS off; 1/n of the memory each."
    )
    return result


def _together(processes: int, width: int, seconds: float) -> tuple[list[float], list[float]]:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_train, args=(width, seconds, 1 / processes, barrier, answers))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    found = [answers.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    return [speed for speed, _ in found], [memory for _, memory in found]


def _train(width: int, seconds: float, fraction: float, barrier: Barrier, answers: Any) -> None:
    device = torch.device("cuda")
    torch.cuda.set_per_process_memory_fraction(min(1.0, fraction), 0)
    learner = our_learner("unet", width, device)
    batch = ConstantBatch.on(device, BATCH, SIZE)
    for _ in range(20):
        learner.train_step(batch)
    torch.cuda.synchronize()
    barrier.wait(timeout=300)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        for _ in range(20):
            learner.train_step(batch)
        torch.cuda.synchronize()
        steps += 20
    speed = steps * BATCH / (time.perf_counter() - started)
    answers.put((speed, torch.cuda.max_memory_reserved() / 1024**2))
