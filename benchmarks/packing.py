"""Several small trials on one GPU at the same time, each in a process of its own; needs a GPU."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Sequence
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

import torch

from benchmarks.measure import Goal, Options, Result, Spread, seconds_of
from benchmarks.synthetic import ConstantBatch
from benchmarks.training_step import our_learner, several
from models.hardware import bound_memory

BATCH, SIZE = 16, 64
WIDTHS = (8, 32)
AT_ONCE = (1, 2, 4, 8)
AT_A_TIME = 20  # steps between two readings of the clock


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
            speeds, memory = together(processes, width, SIZE, seconds, options.device)
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


def together(
    processes: int, width: int, size: int, seconds: float, device: torch.device
) -> tuple[list[float], list[float]]:
    """Train U-Nets in as many processes at the same time, each held to its fraction of the device's memory.

    Returns:
        Images per second, and MiB of the device's memory that were reserved at most, of each process.

    Raises:
        RuntimeError: A process failed, or ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(processes), context.Queue()
    arguments = (width, size, seconds, 1 / processes, device, barrier, answers)
    workers = [context.Process(target=_train, args=arguments, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    try:
        found = _all_answers(workers, answers)
    finally:
        for worker in workers:
            worker.terminate()  # without effect on one that has ended
            worker.join()
    return [speed for speed, _ in found], [memory for _, memory in found]


def _all_answers(workers: Sequence[BaseProcess], answers: Any) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    while len(found) < len(workers):
        try:
            answer = answers.get(timeout=1)
        except queue.Empty:
            gone = [worker.exitcode for worker in workers if worker.exitcode]
            answer = f"exit code {gone[0]}" if gone else None
        if isinstance(answer, str):
            raise RuntimeError(f"one of {len(workers)} trials at once failed: {answer}")
        found += [answer] if answer else []
    return found


def _train(
    width: int,
    size: int,
    seconds: float,
    fraction: float,
    device: torch.device,
    barrier: Barrier,
    answers: Any,
) -> None:
    try:
        bound_memory(device, fraction)
        learner = our_learner("unet", width, device)
        work = partial(several, partial(learner.train_step, ConstantBatch.on(device, BATCH, size)), AT_A_TIME)
        seconds_of(work, device)
        barrier.wait(timeout=300)
        spent = [seconds_of(work, device)]
        while sum(spent) < seconds:
            spent.append(seconds_of(work, device))
        reserved = torch.cuda.max_memory_reserved(device) if device.type == "cuda" else 0
        answers.put((len(spent) * AT_A_TIME * BATCH / sum(spent), reserved / 1024**2))
    except Exception as error:
        answers.put(f"{type(error).__name__}: {error}".splitlines()[0])
