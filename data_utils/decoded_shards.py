"""Decoded images on disk while a dataset is being prepared: shard by shard, so that an interruption costs one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_utils.array_file import ArrayFile
from data_utils.decode_entry import Pixels
from data_utils.decode_image import THUMBNAIL
from data_utils.errors import CacheError, printable

SHARD = 256  # images
_PLAN = "plan.json"


class DecodedShards:
    """Pixels in array files and facts in one JSON file per finished shard.

    Args:
        folder: Made if missing; what an interrupted run of the same plan left is continued, of another one
            removed.
        plan: Hash of everything that the decoded images depend on.
        count: N images.
        size: S, side of the images in pixels.

    Raises:
        CacheError: There is too little room on the disk.
    """

    def __init__(self, folder: Path, plan: str, count: int, size: int) -> None:
        self.folder, self.count = folder, count
        if not _is_of(folder, plan):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _require_room(folder, count * (4 * size * size + THUMBNAIL * THUMBNAIL))
            _write_json(folder / _PLAN, plan)
        self.grey = ArrayFile(folder / "grey.npy", (count, size, size))
        self.colour = ArrayFile(folder / "colour.npy", (count, size, size, 3))
        self.thumbnails = ArrayFile(folder / "thumbnails.npy", (count, THUMBNAIL, THUMBNAIL))
        if any(file.begun for file in (self.grey, self.colour, self.thumbnails)):
            for path in folder.glob("facts-*.json"):  # of pixels that are gone
                path.unlink()

    def missing(self) -> list[range]:
        """The shards that are still to be decoded, as ranges of positions."""
        shards = [range(k, min(k + SHARD, self.count)) for k in range(0, self.count, SHARD)]
        return [shard for shard in shards if _read_json(self._facts_file(shard.start)) is None]

    def store_pixels(self, position: int, pixels: Pixels) -> None:
        """Keep grey, colour and thumbnail of an image; there is nothing to keep of a refused one."""
        for file, array in zip((self.grey, self.colour, self.thumbnails), pixels or (), strict=False):
            file.write(position, array[None])

    def store_facts(self, first: int, facts: Sequence[dict[str, Any]]) -> None:
        """Keep the facts of a shard whose pixels are stored; it counts from then on."""
        _write_json(self._facts_file(first), list(facts))

    def forget_refused(self) -> None:
        """Let shards with refused images be decoded again next time: the reason may be gone by then."""
        for first in range(0, self.count, SHARD):
            path = self._facts_file(first)
            if any("refused" in facts for facts in _read_json(path)):
                path.unlink()

    def facts(self) -> list[dict[str, Any]]:
        """What was stored of each image, N, once no shard is missing; refused ones have ``refused``."""
        return [fact for first in range(0, self.count, SHARD) for fact in _read_json(self._facts_file(first))]

    def keep(self, kept: np.ndarray) -> None:
        """Leave out the pixels of all images but these (ascending positions)."""
        if len(kept) < self.count:
            # From here on the files are of no use for another run.
            (self.folder / _PLAN).unlink()
        for file in (self.grey, self.colour, self.thumbnails):
            file.keep(kept)

    def _facts_file(self, first: int) -> Path:
        return self.folder / f"facts-{first // SHARD:06d}.json"


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CacheError(
            f"The decoded images need {needed / 1e9:.1f} GB in {printable(folder.parent)}, where "
            f"{free / 1e9:.1f} GB are free; make room there or choose another cache folder."
        )


def _is_of(folder: Path, plan: str) -> bool:
    return _read_json(folder / _PLAN) == plan


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _write_json(path: Path, content: Any) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="ascii")
    os.replace(fresh, path)
