"""How fast is a card? Everything is measured by the benchmarks that measure it elsewhere, here on fewer cases."""

from __future__ import annotations

import re
from functools import cache, partial

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.compilation import compared
from benchmarks.data_path import epochs
from benchmarks.gpu.checks import BOUNDS, close
from benchmarks.gpu.day import Figures
from benchmarks.measure import Options, Result, Spread, synchronise
from benchmarks.packing import together
from benchmarks.synthetic import image_set
from benchmarks.training_step import against_plain, batch_for, bf16_peak, our_learner, several

OPERATORS = {
    "convolutions": r"convolution",
    "BatchNorm": r"batch_norm",
    "ReLU": r"clamp_min|relu|threshold_backward",
    "pooling, concatenation": r"max_pool|aten::cat$",
    "copies and casts": r"aten::copy_",
    "Adam": r"adam",
}


@cache
def peak(device: torch.device, side: int) -> float:
    """FLOP/s of a large product of matrices in bfloat16, measured once."""
    return bf16_peak(device, side)


def matrix_peak(device: torch.device, side: int) -> Figures:
    """The same as a figure."""
    return {"TFLOP/s": round(peak(device, side) / 1e12, 2), "side": side}


def throughput(name: str, width: int, size: int, batch_size: int, side: int, options: Options) -> Figures:
    """A training step beside the plain loop, and the most memory of the device that both took."""
    device = options.device
    flops = peak(device, side)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    figures = against_plain(name, width, size, batch_size, flops, options.repeats, device)
    if device.type == "cuda":
        figures["GiB, both"] = round(torch.cuda.max_memory_allocated(device) / 1024**3, 1)
    return figures


def operators(name: str, width: int, size: int, batch_size: int, device: torch.device) -> Figures:
    """Where the device's time of a training step goes, by kind of operator, as shares of all that it computes."""
    step = partial(our_learner(name, width, device).train_step, batch_for(name, device, batch_size, size))
    several(step, 3)
    on_gpu = device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as found:
        several(step, 3)
        synchronise(device)
    # The kernels below torch's operators are listed a second time, under their own names.
    events = [event for event in found.key_averages() if event.key.startswith("aten::")]
    times = {
        event.key: float(event.self_device_time_total if on_gpu else event.self_cpu_time_total)
        for event in events
    }
    total = sum(times.values())
    shares = {
        kind: sum(value for key, value in times.items() if re.search(pattern, key)) / total
        for kind, pattern in OPERATORS.items()
    }
    return {**shares, "others": 1 - sum(shares.values()), "ms a step": total / 3 / 1000}


def packing(processes: int, width: int, size: int, seconds: float, device: torch.device) -> Figures:
    """So many small trials at the same time, relative to one."""
    (alone,), _ = _together(1, width, size, seconds, device)
    speeds, memory = _together(processes, width, size, seconds, device)
    return {
        "images/s, all together": round(sum(speeds)),
        "relative to one": round(sum(speeds) / alone, 2),
        "images/s of a trial": Spread.of(speeds),
        "device MiB of a trial, most": round(max(memory)),
    }


_together = cache(together)


def compilation(name: str, width: int, size: int, options: Options, *, graphs: bool) -> Figures:
    """`torch.compile`, or CUDA graphs of it, relative to the same step as it is."""
    try:
        figures = compared(name, width, size, options, graphs=graphs)
    finally:
        torch.compiler.reset()
    close("loss", figures["loss off by"], BOUNDS["bfloat16"].loss)
    return figures


def data_path(name: str, count: int, width: int, size: int, options: Options) -> Figures:
    """An epoch from images on the device, and one streamed to it, over as many steps on a constant batch."""
    result = Result()
    epochs(result, options, name, image_set(count, size), width)
    return {str(row["epoch of"]).split(", ")[1]: row["time"] for row in result.rows}


def vgg_cache(width: int, count: int, size: int, options: Options) -> Figures:
    """Koalarization's epoch with VGG16's vectors at hand, over one in which VGG16 computes them."""
    from benchmarks.vgg_cache import cached_over_computed

    images = image_set(count, size)
    return {"cached / computed": cached_over_computed(images, width, options.repeats, options.device)}
