"""Load a dataset by folder or by the name of an embedded one."""

from __future__ import annotations

import os
from dataclasses import astuple
from pathlib import Path

from data_utils.addresses import is_address, name_of
from data_utils.cache import cached_arrays, default_cache
from data_utils.decode_dataset import Decoding, Progress
from data_utils.drawn.drawn_set import DRAWN_SETS, DrawnSet
from data_utils.errors import DataError, printable
from data_utils.fetched_folder import fetched_folder
from data_utils.image_set import Fetched, ImageSet, Refused, SetSource
from data_utils.layouts import recognise
from data_utils.set_arrays import image_set

__all__ = ["DRAWN", "ImageSet", "Refused", "fetch_again", "load_dataset"]

DRAWN = "drawn:"
MAX_SIZE = 4096  # pixels; larger training images fit no memory


def load_dataset(
    source: str | Path,
    size: int,
    *,
    name: str | None = None,
    skip_bad: bool = False,
    cache: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """Load a dataset, decoding it only if its files or the settings have changed.

    Files count as unchanged while their names, sizes, permissions and modification times (ns) are; their
    contents are not read for that.

    Args:
        source: a folder, ``drawn:scenes`` or ``drawn:fruit`` for the embedded sets, or an address of
            ``fetched_folder``, whose images are fetched into the cache.
        size: side of the square images in pixels.
        name: what to call the set; by default the folder's (or the drawn set's) own name.
        skip_bad: leave out files that are refused, and files without partner, instead of stopping.
        cache: folder of decoded datasets; by default the user's cache.
        workers: decoding threads; by default one per available core.
        progress: told how many of how many files are fetched, then how many of how many images are decoded, now
            and then; not called where all are.

    Raises:
        DataError: missing folder, address without answer, unknown layout, refused files (``RefusedFiles`` lists
            all), or too few images for three splits.
    """
    if not 1 <= size <= MAX_SIZE:
        raise DataError(f"An image size of {size} is impossible; give a side from 1 to {MAX_SIZE} pixels.")
    folder = cache or default_cache()
    if str(source).startswith(DRAWN):
        return _drawn_set(str(source), size, name, folder)
    fetched = Fetched(str(source), size, skip_bad) if is_address(source) else None
    root = fetched_folder(fetched.address, folder, progress) if fetched else Path(source)
    layout = recognise(root, skip_unpaired=skip_bad)
    decoding = Decoding(
        layout,
        size,
        folder,
        address=fetched.address if fetched else None,
        skip_bad=skip_bad,
        workers=workers or os.cpu_count() or 1,
        progress=progress,
    )
    with decoding:
        arrays = cached_arrays(folder, decoding.key, decoding.build)
    own_name = name or printable(name_of(fetched.address) if fetched else layout.root.resolve().name)
    shown = printable(fetched.address if fetched else layout.root)
    place = SetSource(
        str(folder.absolute()), decoding.key, own_name, layout.kind, shown, layout.left_out, fetched
    )
    return image_set(place, arrays)


def _drawn_set(source: str, size: int, name: str | None, folder: Path) -> ImageSet:
    kind = source.removeprefix(DRAWN)
    if kind not in DRAWN_SETS:
        known = " or ".join(DRAWN + known for known in DRAWN_SETS)
        raise DataError(f"There is no embedded dataset {printable(source)}; use {known}.")
    drawn = DrawnSet(kind, size)
    place = SetSource(str(folder.absolute()), drawn.key, name or kind, "drawn", source)
    return image_set(place, cached_arrays(folder, drawn.key, drawn.build))


def fetch_again(source: SetSource, cache: Path | None = None) -> ImageSet | None:
    """Fetch and prepare a set on this machine, as another one has.

    Args:
        source: ``ImageSet.source`` of the set there.
        cache: This machine's cache folder; by default the user's.

    Returns:
        The set; None where its images lie in a folder, or those at its address are no longer the same.

    Raises:
        DataError: As ``load_dataset``.
    """
    if source.fetched is None:
        return None
    address, size, skip_bad = astuple(source.fetched)
    images = load_dataset(address, size, name=source.name, skip_bad=skip_bad, cache=cache)
    return images if images.source is not None and images.source.key == source.key else None
