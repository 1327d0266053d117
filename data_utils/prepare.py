"""`python -m data_utils.prepare DIR`: verify a dataset, cache it, and say what is in it."""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from data_utils.decode_dataset import Progress
from data_utils.errors import CacheError, DataError, RefusedFiles
from data_utils.findings import pictures_in_two_splits, warnings_of
from data_utils.image_set import ImageSet
from data_utils.load_dataset import load_dataset
from data_utils.splits import SPLIT_NAMES, TEST
from data_utils.wording import counted

DEFAULT_SIZE = 64
_DESCRIPTION = "Verify a dataset, cache it, and say what is in it."
SHOWN = 20  # names or sizes listed before "and N more"
# A grey file made by another formula differs everywhere a little; one of another picture differs much more.
FAR_GREY_LEVELS, FAR_TIMES_MEDIAN = 12.0, 4.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 done; 1 refused files or an unwritable cache; 2 wrong usage, missing folder or unusable dataset.
    """
    parser = argparse.ArgumentParser(prog="python -m data_utils.prepare", description=_DESCRIPTION)
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="a folder of images, an address of one (s3://…, webdataset:…, parquet:…), drawn:scenes or drawn:fruit",
    )
    parser.add_argument(
        "--size", type=int, default=DEFAULT_SIZE, help="side in pixels (default: %(default)s)"
    )
    parser.add_argument("--skip-bad-images", action="store_true", help="go on without refused files")
    parser.add_argument("--cache", type=Path, help="folder of decoded datasets (default: the user's cache)")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without × prints ? and goes on
    try:
        with _bar() as progress:
            images = load_dataset(
                options.folder,
                options.size,
                skip_bad=options.skip_bad_images,
                cache=options.cache,
                progress=progress,
            )
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1 if isinstance(error, RefusedFiles | CacheError) else 2
    report(images, Console(markup=False, highlight=False, soft_wrap=True))
    return 0


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on the standard error, where that is a terminal."""
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    terminal = Console(stderr=True)
    with Bar(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def report(images: ImageSet, console: Console) -> None:
    """Print what a dataset holds."""
    console.print(
        f"{images.root}: {images.layout}, {counted(len(images), 'image')} at {images.size}×{images.size}"
    )
    if images.drawn:
        console.print("These pictures are drawn; they are not photographs.")
    held_out = len(images.indices(TEST))
    console.print(f"{len(images) - held_out} for training and validation, {held_out} for test")
    console.print(_splits(images))
    if images.categories:
        console.print(_categories(images))
    sizes = Counter(f"{width}×{height}" for width, height in images.original_size.tolist())
    _list(
        console,
        "distinct original sizes",
        [f"{size}: {counted(count, 'image')}" for size, count in sizes.most_common()],
    )
    _list(console, "pairs of identical images", [f"{a} = {b}" for a, b in images.duplicates])
    _list(console, "pairs of near-duplicates", [f"{a} ~ {b}" for a, b in images.near_duplicates])
    in_two = pictures_in_two_splits(images)
    if in_two:
        _list(console, "pictures in two of the splits", in_two)
    _list(console, "refused files, left out", [f"{item.file}: {item.reason}" for item in images.refused])
    _list(console, "nearly colourless images", [images.files[i] for i in images.colourless])
    for phrase in images.left_out:
        console.print(f"not used: {phrase}")
    for sentence in warnings_of(images):
        console.print(f"WARNING: {sentence}")
    _grey(images, console)
    console.print(f"fingerprint {images.fingerprint[:16]}")


def _splits(images: ImageSet) -> Table:
    table = Table("split", "images")
    for number, name in enumerate(SPLIT_NAMES):
        table.add_row(name, str(len(images.indices(number))))
    return table


def _categories(images: ImageSet) -> Table:
    table = Table("category", *SPLIT_NAMES, "all", title=f"{len(images.categories)} categories")
    for number, name in enumerate(images.categories):
        counts = np.bincount(images.split[images.category == number], minlength=len(SPLIT_NAMES))
        table.add_row(name, *map(str, counts), str(counts.sum()))
    return table


def _grey(images: ImageSet, console: Console) -> None:
    error = images.grey_error
    if not error.any():
        console.print("grey is the luma (BT.601) of the colour files")
        return
    console.print(
        f"supplied grey differs from the colour's luma by {error.mean():.2f} grey levels on average, "
        f"{error.max():.2f} at most ({images.files[int(error.argmax())]})"
    )
    bound = max(FAR_GREY_LEVELS, FAR_TIMES_MEDIAN * float(np.median(error)))
    far = np.flatnonzero(error > bound)
    worst = far[np.argsort(-error[far], kind="stable")]
    names = [f"{images.files[i]}: {error[i]:.1f} grey levels" for i in worst]
    _list(
        console,
        f"pairs more than {bound:.0f} grey levels apart, which probably do not belong together",
        names,
    )


def _list(console: Console, title: str, lines: list[str]) -> None:
    console.print(f"{title}: {len(lines)}")
    for line in lines[:SHOWN]:
        console.print(f"  {line}")
    if len(lines) > SHOWN:
        console.print(f"  and {len(lines) - SHOWN} more")


if __name__ == "__main__":
    sys.exit(main())
