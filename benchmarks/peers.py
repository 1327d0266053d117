"""Our networks and recipes beside the published recipes of others: the same photographs, the same processor seconds.

The photographs are real: `COLORIZATION_DATA` names a folder with `dataset1` (scenes, in Kaggle's layout) and
`dataset2` (the Natural-Color Dataset), `COLORIZATION_WEIGHTS` one with VGG16's weights. Budgets are seconds of the
process on one thread, so that other work on the machine counts for none. VGG16's features are computed once for all
networks and not charged; what they cost stands beside the table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks.measure import Options, Result
from benchmarks.peer_rows import BATCH, RECIPE_UNET, ROWS, TEXTBOOK_UNET, VGGUNET, VIVID, Row
from data_utils.batches import Batches
from data_utils.features import StoredFeatures
from data_utils.load_dataset import ImageSet, load_dataset
from data_utils.pictures import contact_sheet
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.architectures import architecture, seeded_build
from models.learner import Learner
from models.metrics.evaluation import evaluate, summary_of
from models.metrics.table import OBJECTIVE
from models.metrics.trivial import grey_copy
from models.plugins import load_plugin
from models.settings import ModelSettings
from models.vgg import image_maps, image_vectors

SIZE, WIDTH, SEEDS = 64, 8, 2
SETS = {"fruit": ("dataset2", 43.0), "scenes": ("dataset1", 66.0)}  # folder, processor seconds
TRAIN_LIMIT, VALIDATION_LIMIT = 1500, 500
SHOWN = 10
BOUNDS = {"fruit": 5.2, "scenes": 11.3}
PLUGINS = (
    Path(__file__).parent / "peer_architectures.py",
    Path(__file__).parents[1] / "examples" / "vector_unet.py",
)
WEIGHTS = "vgg16_features_imagenet_fp16.safetensors"


@dataclass
class Photographs:
    """One set with VGG16's features of the images that are used.

    Attributes:
        feature_seconds: Processor seconds that each kind of feature took for all images, plain and mirrored.
    """

    images: ImageSet
    train: np.ndarray
    validation: np.ndarray
    shown: np.ndarray
    features: dict[str | None, StoredFeatures | None] = field(default_factory=lambda: {None: None})
    feature_seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str, device: torch.device) -> Photographs:
        """Decode a set and compute its features."""
        folder = Path(_required("COLORIZATION_DATA")) / SETS[name][0]
        weights = str(Path(_required("COLORIZATION_WEIGHTS")) / WEIGHTS)
        images = load_dataset(folder, SIZE, name=name)
        test = images.indices(TEST)
        found = cls(
            images,
            images.limited(TRAIN, TRAIN_LIMIT, 0),
            images.limited(VALIDATION, VALIDATION_LIMIT, 0),
            test[np.linspace(0, len(test) - 1, SHOWN).astype(int)],
        )
        used = np.unique(np.concatenate([found.train, found.validation, found.shown]))
        compute: dict[str, Callable[..., Any]] = {"vector": image_vectors, "maps": image_maps}
        for kind, describe in compute.items():
            started = time.process_time()
            arrays = describe(images.grey[used], weights, device)
            found.feature_seconds[kind] = time.process_time() - started
            found.features[kind] = StoredFeatures(arrays, device, used)
        return found

    def batches(
        self, row: Row, positions: np.ndarray, device: torch.device, seed: int | None = None
    ) -> Batches:
        """Batches of some of the images, for training if there is a seed."""
        features = self.features[architecture(row.architecture).features]
        train = seed is not None
        size = row.batch if train else BATCH
        return Batches(self.images, positions, size, device, train=train, seed=seed or 0, features=features)


def run(options: Options) -> Result:
    """Every network on both sets, for two seeds; `--quick` gives a fifth of the seconds and one seed."""
    result = Result()
    # A process for each set: what counts is a process's own time, and the sets have nothing in common.
    with ProcessPoolExecutor(len(SETS), get_context("spawn")) as pool:
        for rows, note in pool.map(partial(_compare, options), SETS):
            result.rows += rows
            result.notes.append(note)
    _judge(result)
    return result


def _compare(options: Options, name: str) -> tuple[list[dict[str, Any]], str]:
    """The rows of one set and how they were measured; draws the contact sheet."""
    torch.set_num_threads(1)
    for plugin in PLUGINS:
        load_plugin(str(plugin))
    share, seeds = (0.2, 1) if options.quick else (1.0, SEEDS)
    seconds = share * SETS[name][1]
    photographs = Photographs.load(name, options.device)
    table, predictions = [], {}
    for label, row in ROWS.items():
        trainings = [_trained(row, photographs, seconds, seed, options.device) for seed in range(seeds)]
        shown = next(iter(photographs.batches(row, photographs.shown, options.device)))
        predictions[label] = trainings[0].learner.predict(shown.grey, shown.features)
        table.append(_row(label, name, trainings))
        print(f"  {name}  {label}: {table[-1]['ΔE₀₀']:.2f}", flush=True)
    table.append(_grey_copy(name, photographs, options.device))
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        given = shown.grey.expand(-1, 3, -1, -1)
        pictures = {"given": given, **predictions, "truth": shown.colour}
        contact_sheet(pictures).save(options.pictures / f"peers-{name}.png")
    return table, _note(name, photographs, seconds)


@dataclass(frozen=True)
class _Training:
    learner: Learner
    steps: int
    metrics: dict[str, float]


def _trained(
    row: Row, photographs: Photographs, seconds: float, seed: int, device: torch.device
) -> _Training:
    """Train for so many seconds of this process."""
    one = architecture(row.architecture)
    settings = ModelSettings(width=WIDTH, target=row.target, recipe=row.recipe)
    learner = seeded_build(one, settings, {**one.textbook, **row.parameters}, device, seed)
    batches = photographs.batches(row, photographs.train, device, seed)
    started, steps = time.process_time(), 0
    for number in count():
        for batch in batches.epoch(number):
            if time.process_time() - started >= seconds:
                measured = evaluate(learner.predict, photographs.batches(row, photographs.validation, device))
                return _Training(learner, steps, summary_of(measured))
            learner.train_step(batch)
            learner.update_average()
            steps += 1
    raise AssertionError("count() never ends")


def _row(label: str, name: str, trainings: list[_Training]) -> dict[str, Any]:
    def over_seeds(metric: str) -> float:
        return mean(one.metrics[metric] for one in trainings)

    return {
        "network": label,
        "set": name,
        "ΔE₀₀": over_seeds(OBJECTIVE),
        "by seed": " ".join(f"{one.metrics[OBJECTIVE]:.2f}" for one in trainings),
        "PSNR": over_seeds("psnr"),
        "SSIM": over_seeds("ssim"),
        "colourfulness": over_seeds("colourfulness_ratio"),
        "saturation": over_seeds("saturation_ratio"),
        "steps": mean(one.steps for one in trainings),
        "parameters": sum(weight.numel() for weight in trainings[0].learner.generator.parameters()),
    }


def _grey_copy(name: str, photographs: Photographs, device: torch.device) -> dict[str, Any]:
    batches = photographs.batches(ROWS[TEXTBOOK_UNET], photographs.validation, device)
    metrics = summary_of(evaluate(lambda grey, _: grey_copy(grey), batches))
    learner = seeded_build(
        architecture("unet"), ModelSettings(width=1), architecture("unet").textbook, device, 0
    )
    return _row("grey copy", name, [_Training(learner, 0, metrics)]) | {"parameters": 0}


def _note(name: str, photographs: Photographs, seconds: float) -> str:
    costs = ", ".join(f"{kind} {cost:.0f} s" for kind, cost in photographs.feature_seconds.items())
    return (
        f"{name}: {len(photographs.train)} training and {len(photographs.validation)} validation images of {SIZE} "
        f"pixels, {seconds:g} processor seconds each on one thread, width {WIDTH}, batch {BATCH} (pix2pix 1). VGG16's "
        f"features of all images, computed once and not charged: {costs}."
    )


def _judge(result: Result) -> None:
    """What these networks are offered for, beside the figures of the table."""
    table = {(row["set"], row["network"]): row for row in result.rows}
    for name, bound in BOUNDS.items():
        best = table[name, VGGUNET]["ΔE₀₀"]
        # Its own variants are no rivals.
        rivals = [row["ΔE₀₀"] for (of, label), row in table.items() if of == name and VGGUNET not in label]
        result.goal(f"{name}: {VGGUNET} ≤ {bound} ΔE₀₀", best, at_most=bound)
        result.goal(f"{name}: {VGGUNET} / the next best ≤ 1", best / min(rivals), at_most=1)
        result.goal(
            f"{name}: saturation of {VIVID} 0.9 to 1.1 of the truth's",
            table[name, VIVID]["saturation"],
            at_least=0.9,
            at_most=1.1,
        )
    gain = table["fruit", TEXTBOOK_UNET]["ΔE₀₀"] - table["fruit", RECIPE_UNET]["ΔE₀₀"]
    result.goal("fruit: the recipe's gain over the textbook's U-Net ≥ 1 ΔE₀₀", gain, at_least=1)


def _required(variable: str) -> str:
    if variable not in os.environ:
        raise SystemExit(f"Set {variable} to the folder that benchmarks/peers.py describes.")
    return os.environ[variable]
