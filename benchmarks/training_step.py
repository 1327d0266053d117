"""Our training step and the plainest correct loop; on a GPU every switch alone and all together."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Options, Result, Spread, interleaved, ratio, seconds_of, synchronise
from benchmarks.plain_loop import Switches, plain_step
from benchmarks.synthetic import ConstantBatch
from models.architectures import architecture, seeded_build
from models.learner import Learner
from models.settings import ModelSettings

RATE = 1e-4
BATCH = 16
STEPS = 10  # of one measurement on a GPU
SWITCHES = {
    "plain": Switches(),
    "bf16": Switches(bf16=True),
    "channels_last": Switches(channels_last=True),
    "fused Adam": Switches(fused=True),
    "torch.compile": Switches(compile="default"),
    "torch.compile, CUDA graphs": Switches(compile="reduce-overhead"),
}


def run(options: Options) -> Result:
    """Interleaved, on one batch that is already on the device."""
    return _on_gpu(options) if options.device.type == "cuda" else _on_cpu(options)


def our_learner(
    name: str, width: int, device: torch.device, *, compiled: bool = False, precision: str = "auto"
) -> Learner:
    """A learner at the learning rate of all measurements."""
    one = architecture(name)
    rates = {key: RATE for key in one.textbook if key.endswith("learning_rate")}
    settings = ModelSettings(width=width, compile=compiled, precision=precision)
    return seeded_build(one, settings, {**one.textbook, **rates}, device, seed=0)


def batch_for(name: str, device: torch.device, batch_size: int, size: int) -> ConstantBatch:
    """A batch with the features that the architecture takes."""
    return ConstantBatch.on(device, batch_size, size, architecture(name).features or "vector")


def against_plain(
    name: str, width: int, size: int, batch_size: int, peak: float, repeats: int, device: torch.device
) -> dict[str, Any]:
    """Our training step as a study runs it, and the plain loop, in turns on one batch.

    Args:
        name: Of the architecture.
        width: Of the networks.
        size: Side of the images in pixels.
        batch_size: Images of a step.
        peak: FLOP/s of the device, see `bf16_peak`.
        repeats: How often both are measured.
        device: Where.
    """
    batch, learner = batch_for(name, device, batch_size, size), our_learner(name, width, device)
    flops = _flops_of_step(learner, batch)
    ours = partial(several, partial(learner.train_step, batch), STEPS)
    plain = partial(several, plain_step(name, width, learner, batch, RATE), STEPS)
    seconds = interleaved({"ours": ours, "plain": plain}, repeats, device)
    speeds = {who: Spread.of([STEPS * batch_size / one for one in found]) for who, found in seconds.items()}
    return {
        "images/s": speeds["ours"],
        "plain images/s": speeds["plain"],
        "speed / plain": ratio(seconds["plain"], seconds["ours"]),
        "of measured bf16 peak": round(flops * STEPS / median(seconds["ours"]) / peak, 4),
        "plain, of peak": round(flops * STEPS / median(seconds["plain"]) / peak, 4),
        "batch": batch_size,
    }


def _on_cpu(options: Options) -> Result:
    result = Result()
    sizes = [(8, 64), (32, 32)] if options.quick else [(8, 64), (16, 64), (32, 64), (64, 32)]
    worst = 0.0
    for name in ("koalarization", "unet", "cgan"):
        for width, size in sizes:
            learner = our_learner(name, width, options.device)
            batch = ConstantBatch.on(options.device, BATCH, size)
            ours = partial(several, partial(learner.train_step, batch), 3)
            plain = partial(several, plain_step(name, width, learner, batch, RATE), 3)
            seconds = interleaved({"ours": ours, "plain": plain}, options.repeats, options.device)
            spread = ratio(seconds["ours"], seconds["plain"])
            worst = max(worst, spread.median)
            result.rows.append(
                {"architecture": name, "width": width, "size": size, "our step / plain step": spread}
            )
    result.goal("our step / plain float32 NCHW step ≤ 1.0, every row", worst, at_most=1.0)
    result.notes.append(
        f"batch {BATCH}, {options.repeats} interleaved repeats of 3 steps each, no compilation."
    )
    return result


def several(step: Callable[[], object], count: int) -> None:
    """Do something so many times."""
    for _ in range(count):
        step()


def _on_gpu(options: Options) -> Result:
    result = Result()
    peak = bf16_peak(options.device)
    best_speed, best_use = [], []
    for size, batch_size in ((128, 64), (256, 32)):
        steps, learner, batch = _variants(options.device, size, batch_size)
        flops = _flops_of_step(learner, batch)
        warm = {name: _warm_up(step, options.device) for name, step in steps.items()}
        work = {name: partial(several, step, STEPS) for name, step in steps.items()}
        seconds = interleaved(work, options.repeats, options.device)
        for name, found in seconds.items():
            speed = Spread.of([STEPS * batch_size / one for one in found])
            use = flops * STEPS / median(found) / peak
            result.rows.append(
                {
                    "step": name,
                    "size": size,
                    "images/s": speed,
                    "speed / plain": ratio(seconds["plain"], found),
                    "of measured bf16 peak": round(use, 3),
                    "warm-up s": round(warm[name], 1),
                }
            )
        ours = [name for name in seconds if name.startswith("ours")]
        best_speed.append(max(ratio(seconds["plain"], seconds[name]).median for name in ours))
        best_use.append(max(flops * STEPS / median(seconds[name]) / peak for name in ours))
    result.goal("speed of ours / plain loop ≥ 4 at 128² and 256²", min(best_speed), at_least=4)
    result.goal("model FLOP/s / measured bf16 peak ≥ 0.35", min(best_use), at_least=0.35)
    result.notes.append(
        f"U-Net-64; bf16 peak of a matrix product 8192³: {peak / 1e12:.0f} TFLOP/s; {options.repeats} interleaved "
        f"repeats of {STEPS} steps; the plain loop uses torch's defaults (convolutions may use TF32) and reads its "
        "loss in every step."
    )
    return result


def _variants(
    device: torch.device, size: int, batch_size: int
) -> tuple[dict[str, Callable[[], object]], Learner, ConstantBatch]:
    batch = ConstantBatch.on(device, batch_size, size)
    learner = our_learner("unet", 64, device)
    steps: dict[str, Callable[[], object]] = {
        name: plain_step("unet", 64, learner, batch, RATE, switches) for name, switches in SWITCHES.items()
    }
    graphs = our_learner("unet", 64, device)
    graphs.generator.compile(mode="reduce-overhead")
    compiled = our_learner("unet", 64, device, compiled=True)
    steps["ours (bf16, channels_last, fused Adam)"] = partial(learner.train_step, batch)
    steps["ours, torch.compile"] = partial(compiled.train_step, batch)
    steps["ours, torch.compile, CUDA graphs"] = partial(graphs.train_step, batch)
    return steps, learner, batch


def _warm_up(step: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    for _ in range(5):
        step()
    synchronise(device)
    return time.perf_counter() - started


def _flops_of_step(learner: Learner, batch: ConstantBatch) -> int:
    with FlopCounterMode(display=False) as counter:
        learner.train_step(batch)
    return int(counter.get_total_flops())


def bf16_peak(device: torch.device, side: int = 8192) -> float:
    """FLOP/s of the fastest of many products of two square matrices in bfloat16."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    torch.matmul(a, b)
    return (
        2
        * side**3
        * 10
        / min(seconds_of(partial(several, partial(torch.matmul, a, b), 10), device) for _ in range(10))
    )
