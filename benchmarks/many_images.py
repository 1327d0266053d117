"""A set that no process could hold: what preparing it and training from it take of memory and time.

The work lies in the user's cache folder until it is done, and a run that was stopped goes on where it stopped. What is
measured of other processes is run as `python -m benchmarks.many_images STEP FOLDER …`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.measure import Options, Result, Spread, interleaved, ratio, seconds_of
from benchmarks.process_memory import GB, Peak, watched
from benchmarks.repeats import write_repeats
from data_utils.batches import Batches
from data_utils.cache import default_cache
from data_utils.decode_entry import decode_entry
from data_utils.errors import DataError
from data_utils.features import ComputedFeatures
from data_utils.image_set import ImageSet, SetSource
from data_utils.layouts import Entry
from data_utils.load_dataset import load_dataset
from data_utils.mapped_set import open_set
from data_utils.splits import TRAIN
from models.architectures import architecture, seeded_build
from models.settings import ModelSettings
from models.vgg import vgg16_describer

ARCHITECTURES = ("koalarization", "unet", "cgan", "vggunet")
DRIVER, TRIAL, TOGETHER = 2 * GB, 3 * GB, 6 * GB
WIDTH = 8
COMPARED = 4096  # images, enough to be decoded in processes
CPU = torch.device("cpu")
_SOURCE = "source.json"
_Decode = Callable[[Path, int], tuple[np.ndarray, np.ndarray]]  # to S×S×3 colour and S×S grey


def run(options: Options) -> Result:
    """Make the files, prepare them, train from them, and compare the ways there on a set that fits."""
    count, steps = (COMPARED, 10) if options.quick else (200_000, 200)
    size = 256
    work = default_cache() / f"many-images-{count}-{size}"
    made = _once(work, "originals", lambda: write_repeats(work / "files", count, size))
    steps_of = {
        "driver, preparing": ("prepare", str(work), str(size)),
        "driver, starting again": ("prepare", str(work), str(size)),
        **{
            f"trial, {name}": ("train", str(work), name, str(steps), options.device.type)
            for name in ARCHITECTURES
        },
    }
    peaks = {name: Peak(**_once(work, name, partial(_peak, *step))) for name, step in steps_of.items()}
    result = Result(rows=[_row(name, peak) for name, peak in peaks.items()])
    _judge(result, peaks)
    _compare(result, options, work, size)
    bytes_ = 4 * size * size * count
    result.notes.append(
        f"{count} images of {size}×{size}, made from {made}, {bytes_ / GB:.1f} GB in the map. Trials: {steps} steps of "
        f"{_batch(options.device)} images, width {WIDTH}, features of random weights computed of every batch. Private: "
        "memory that is no file's. Mapped: pages of files, which the system takes back. Read: through system calls. "
        "Of the driver, the seconds are those after the last interruption."
    )
    shutil.rmtree(work)
    return result


def _batch(device: torch.device) -> int:
    return 16 if device.type == "cuda" else 2


def _once(work: Path, name: str, measure: Callable[[], Any]) -> Any:
    """What was measured, by this run or by an earlier one that was stopped."""
    path = work / f"{name.replace(' ', '-')}.json"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(measure()), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def _peak(step: str, work: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.many_images", step, work, *arguments]
    return asdict(watched(command, TOGETHER, {"XDG_CACHE_HOME": work}))


def _row(name: str, peak: Peak) -> dict[str, Any]:
    return {
        "process": name,
        "private GB": round(peak.private / GB, 2),
        "mapped GB": round(peak.mapped / GB, 2),
        "private GB of all its processes": round(peak.together / GB, 2),
        "read GB": round(peak.read / GB, 2),
        "seconds": round(peak.seconds, 1),
    }


def _judge(result: Result, peaks: dict[str, Peak]) -> None:
    for who, most in (("driver", DRIVER), ("trial", TRIAL)):
        worst = max(peak.private for name, peak in peaks.items() if name.startswith(who))
        result.goal(f"private memory of a {who} ≤ {most / GB:.0f} GB", worst / GB, at_most=most / GB)
    together = max(peak.together for peak in peaks.values())
    result.goal(f"of all processes at a time ≤ {TOGETHER / GB:.0f} GB", together / GB, at_most=TOGETHER / GB)


def _compare(result: Result, options: Options, work: Path, size: int) -> None:
    """The map against memory, and preparation against a loop over the same files, on the first images."""
    mapped = _opened(work)
    some = np.arange(COMPARED)
    held = replace(mapped, grey=np.array(mapped.grey[some]), colour=np.array(mapped.colour[some]))
    batches = {
        name: Batches(images, some, 16, options.device, train=True)
        for name, images in (("map", mapped), ("memory", held))
    }
    epochs = {name: lambda one=one: [None for _ in one.epoch(0)] for name, one in batches.items()}
    seconds = interleaved(epochs, options.repeats, options.device)
    speed = ratio(seconds["memory"], seconds["map"])
    result.goal("images/s from the map / from memory ≥ 0.9", speed.median, at_least=0.9)
    result.notes.append(
        f"From the map {Spread.of([COMPARED / one for one in seconds['map']])} images/s, of those from memory {speed}."
    )
    files = sorted((work / "files").iterdir())[:COMPARED]
    ours, loop, bare = _preparations(files, size, 1 if options.quick else 3)
    faster = ratio(loop, ours)
    result.goal("images/s prepared / decoded in a plain loop ≥ 1.8, two cores", faster.median, at_least=1.8)
    result.notes.append(
        f"Prepared: {Spread.of([COMPARED / one for one in ours])} images/s of {COMPARED} files, of the loop {faster}. "
        "The loop decodes and checks each file as the preparation does and writes its pixels; the preparation starts "
        f"its processes and seeks near-duplicates besides. Of a loop that checks nothing: {ratio(bare, ours)}."
    )


def _preparations(
    files: Sequence[Path], size: int, repeats: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of a whole preparation, and of two loops over the same files, taken in turns."""
    ours, loop, bare = [], [], []
    with TemporaryDirectory(dir=files[0].parents[1]) as folder:  # on the same disk, for the links
        root, target = Path(folder) / "files", Path(folder) / "loop.npy"
        root.mkdir()
        for path in files:
            (root / path.name).hardlink_to(path)
        for turn in range(repeats):
            cache = Path(folder) / f"cache{turn}"
            ours.append(seconds_of(partial(load_dataset, root, size, cache=cache), CPU))
            loop.append(seconds_of(partial(_loop, files, size, target, _checked), CPU))
            bare.append(seconds_of(partial(_loop, files, size, target, _unchecked), CPU))
            shutil.rmtree(cache)
    return ours, loop, bare


def _loop(files: Sequence[Path], size: int, target: Path, decode: _Decode) -> None:
    pixels = np.lib.format.open_memmap(target, "w+", np.uint8, (len(files), size, size, 4))
    for position, path in enumerate(files):
        pixels[position, ..., :3], pixels[position, ..., 3] = decode(path, size)


def _checked(path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    decoded = decode_entry(Entry(path), size)
    return decoded.colour, decoded.grey


def _unchecked(path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    with Image.open(path) as file:
        picture = file.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture), np.asarray(picture.convert("L"))


def _opened(work: Path) -> ImageSet:
    images = open_set(SetSource(**json.loads((work / _SOURCE).read_text(encoding="utf-8"))))
    if images is None:
        raise DataError(f"{work} does not hold the prepared set any more; remove it and start again.")
    return images


def _prepare(work: Path, size: int) -> None:
    """What a study's driver does with a dataset before anything is trained."""
    from study.settings.schema import StudySettings
    from study.training.data import prepare

    settings = StudySettings(
        name="many",
        datasets={"many": {"root": str(work / "files")}},  # type: ignore[dict-item]
        model={"image_size": size},  # type: ignore[arg-type]
        architectures=["unet"],
    )
    prepared = prepare(settings, print)
    json.dumps(prepared.facts(settings))
    (work / _SOURCE).write_text(json.dumps(asdict(prepared.images["many"].source)), encoding="utf-8")


def _train(work: Path, name: str, steps: int, device: torch.device) -> None:
    """What a trial does: map the set and train."""
    images, one = _opened(work), architecture(name)
    learner = seeded_build(one, ModelSettings(width=WIDTH), one.textbook, device, seed=0)
    describer = vgg16_describer(one.features, "random").to(device) if one.features else None
    features = None if describer is None else ComputedFeatures(describer)
    positions = images.indices(TRAIN)
    batches = Batches(images, positions, _batch(device), device, train=True, features=features)
    for batch in islice(batches.epoch(0), steps):
        learner.train_step(batch)


def main() -> None:
    """Run one step in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["prepare", "train"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("arguments", nargs="+")
    given = parser.parse_args()
    if given.step == "prepare":
        _prepare(given.folder, int(given.arguments[0]))
    else:
        name, steps, device = given.arguments
        _train(given.folder, name, int(steps), torch.device(device))


if __name__ == "__main__":
    main()
