"""Is what a card is given right, and what it keeps? Batches, features, metrics, checkpoints, memory and energy."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.checks import CPU, close, distance, exactly, worst
from benchmarks.gpu.day import Figures, NotHereError, WrongError
from benchmarks.measure import nvidia_smi, seconds_of
from benchmarks.memory import mapped
from benchmarks.synthetic import image_set
from benchmarks.training_step import RATE
from data_utils.batches import Batch, Batches
from data_utils.features import ComputedFeatures, StoredFeatures
from data_utils.pixel_store import ResidentImages
from models.architectures import architecture, seeded_build
from models.hardware import bound_memory
from models.learner import Batch as AnyBatch
from models.settings import ModelSettings, Recipe
from models.training import Trainer

BATCH = 8
SHARE = 0.05  # of a device's memory
LAST_BIT = 2e-7  # of numbers up to 1: CUDA multiplies with the reciprocal of what is divided by


def batches(count: int, size: int, device: torch.device, *, streaming: bool) -> Figures:
    """Every batch of two epochs of a set that is mapped from a file, against the batches of the CPU."""
    figures: Figures = {"images": count}
    with TemporaryDirectory() as folder:
        images = mapped(image_set(count, size), Path(folder))

        def of(where: torch.device, streamed: bool, augmentation: str) -> Batches:
            return Batches(
                images,
                np.arange(count),
                BATCH,
                where,
                train=True,
                augmentation=augmentation,
                streaming=streamed,
            )

        for augmentation, allowed in (("flip", LAST_BIT), ("crop", 1e-3)):
            expected, found = of(CPU, False, augmentation), of(device, streaming, augmentation)
            off = [
                float((ours.cpu() - theirs).abs().max())
                for number in range(2)
                for one, other in zip(found.epoch(number), expected.epoch(number), strict=True)
                for ours, theirs in ((one.grey, other.grey), (one.colour, other.colour))
            ]
            figures |= close(augmentation, max(off), allowed)
    return figures


def resume(name: str, width: int, size: int, device: torch.device) -> Figures:
    """A training that is stopped after an epoch, kept on disk and read into new networks, against one that is not."""
    from models.checkpoint import load_checkpoint, save_checkpoint

    images = image_set(4 * BATCH, size)
    train = Batches(images, np.arange(len(images)), BATCH, device, train=True)
    first, second = (_trainer(name, width, train, device) for _ in range(2))
    first.step()
    with TemporaryDirectory() as folder:
        save_checkpoint(Path(folder) / "kept", first.learner.tensors(), first.state())
        tensors, state = load_checkpoint(Path(folder) / "kept")
    second.restore(state, tensors)
    again = second.learner.tensors()
    if changed := [key for key, value in tensors.items() if not torch.equal(value, again[key])]:
        raise WrongError(f"{len(changed)} of {len(tensors)} tensors came back changed, {changed[0]} first")
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        through, resumed = (trainer.step() for trainer in (first, second))
    off = {
        key: abs(resumed[key] - value) / max(1.0, abs(value)) for key, value in _quantities(through).items()
    }
    return {"tensors": len(tensors)} | close(*worst(off), 5e-3)


def _quantities(report: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in report.items() if not key.endswith("seconds")}


def _trainer(name: str, width: int, train: Batches, device: torch.device) -> Trainer:
    one = architecture(name)
    recipe = Recipe(schedule="cosine", ema=0.9, weight_decay=0.01, batch_size=BATCH)
    rates = {key: RATE for key in one.textbook if key.endswith("learning_rate")}
    learner = seeded_build(
        one, ModelSettings(width=width, recipe=recipe), {**one.textbook, **rates}, device, seed=0
    )
    return Trainer(learner, train, list(train.epoch(0)), _error, _mean, epochs=4)


def _error(prediction: Tensor, batch: AnyBatch) -> dict[str, Tensor]:
    return {"error": (prediction - batch.colour).abs().mean(dim=(1, 2, 3))}


def _mean(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value.mean()) for name, value in values.items()}


def features(kind: str, count: int, size: int, device: torch.device) -> Figures:
    """VGG16's features of a set: against the CPU's, and looked up in batches against computed of each batch."""
    from models.vgg import image_maps, image_vectors, vgg16_describer

    images = image_set(count, size)
    make: Callable[..., np.ndarray | tuple[np.ndarray, ...]] = image_maps if kind == "maps" else image_vectors
    describer = vgg16_describer(kind, "random").to(device)
    with exactly():
        stored, expected = (_listed(make(images.grey, "random", where)) for where in (device, CPU))
        off = max(_distance(one, other) for one, other in zip(stored, expected, strict=True))
        given = stored if kind == "maps" else stored[0]
        looked_up, computed = (
            _described(Batches(images, np.arange(count), BATCH, device, train=True, features=source))
            for source in (StoredFeatures(given, device), ComputedFeatures(describer))
        )
        apart = max(distance(one, other) for one, other in zip(looked_up, computed, strict=True))
    return close("features", off, 1e-3) | close("features looked up", apart, 2e-3)


def _listed(arrays: np.ndarray | tuple[np.ndarray, ...]) -> list[np.ndarray]:
    return [arrays] if isinstance(arrays, np.ndarray) else list(arrays)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return distance(torch.from_numpy(one), torch.from_numpy(other))


def _described(source: Batches) -> list[Tensor]:
    each = (batch.features for batch in source.epoch(0))
    return [
        one for found in each for one in (found if isinstance(found, tuple) else (found,)) if one is not None
    ]


def metrics(size: int, device: torch.device) -> Figures:
    """What a validation measures of images, against the CPU."""
    from models.metrics.evaluation import validation_quantities

    images = image_set(2 * BATCH, size)
    batch, other = (
        next(iter(Batches(images, np.arange(2 * BATCH), BATCH, where, train=False)))
        for where in (device, CPU)
    )
    measure = partial(validation_quantities, kept=True)
    found, expected = (measure(_tinted(one), one) for one in (batch, other))
    off = {
        name: float((found[name].cpu() - truth).abs().max() / truth.abs().max().clamp(min=1))
        for name, truth in expected.items()
    }
    return {"quantities": len(off)} | close(*worst(off), 1e-3)


def _tinted(batch: Batch) -> Tensor:
    tint = torch.tensor([0.1, 0.0, -0.1], device=batch.grey.device).view(1, 3, 1, 1)
    return (batch.grey + tint).clamp(-1, 1)


def memory_fraction(device: torch.device) -> Figures:
    """A process held to its share of the memory: within it is given some, beyond it none, and sets are fitted to it."""
    if device.type != "cuda":
        raise NotHereError("needs a GPU: a CPU's memory is not divided")
    total = torch.cuda.get_device_properties(device).total_memory
    images = image_set(64, 64)
    size = images.grey.nbytes + images.colour.nbytes
    bound_memory(device, SHARE)
    try:
        torch.empty(int(0.4 * SHARE * total), dtype=torch.uint8, device=device)
        try:
            torch.empty(int(1.5 * SHARE * total), dtype=torch.uint8, device=device)
        except torch.OutOfMemoryError:
            pass
        else:
            raise WrongError(f"1.5 times a share of {SHARE:g} of the memory was given")
        exact = size / (SHARE * total)  # of the share, that the set takes
        fits = [ResidentImages.fits(images, device, factor * exact) for factor in (0.9, 1.1)]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device.index)
    if fits != [False, True]:
        raise WrongError(f"a set of {size} bytes fits into 0.9 and 1.1 times its size: {fits[0]}, {fits[1]}")
    return {"share": SHARE, "MiB": round(SHARE * total / 1024**2)}


def energy(device: torch.device, seconds: float = 2.0) -> Figures:
    """The driver's counter while the device multiplies matrices: it rises, by less than the card may draw."""
    from study.training.energy import EnergyMeter

    meter = EnergyMeter(device)
    if meter.joules() is None:
        raise NotHereError("the device counts no energy, or its driver does not tell")
    a, b = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    read, spent = [meter.joules() or 0.0], [time.perf_counter()]
    while spent[-1] - spent[0] < seconds:
        seconds_of(lambda: [torch.matmul(a, b) for _ in range(50)], device)
        read.append(meter.joules() or 0.0)
        spent.append(time.perf_counter())
    watts = (read[-1] - read[0]) / (spent[-1] - spent[0])
    limit = nvidia_smi("power.limit")
    most = float(limit) if limit.replace(".", "", 1).isdigit() else 2000.0
    if not (0 < watts <= 1.2 * most) or any(later < earlier for earlier, later in pairwise(read)):
        raise WrongError(
            f"the counter says {watts:.0f} W on average; the card may draw {limit or 'an unknown number of'} W"
        )
    return {"watts": round(watts), "watts allowed": limit or "unknown"}
