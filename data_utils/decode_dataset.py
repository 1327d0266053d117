"""From the files of a layout to arrays, in parallel, with every refusal collected before anything stops."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import PIL
from filelock import FileLock

from data_utils.cache import explained
from data_utils.decode_entry import Decoded, decode_entry
from data_utils.decoded_shards import DecodedShards, Row
from data_utils.errors import CacheError, DataError, RefusedFiles, printable
from data_utils.image_set import Refused
from data_utils.layouts import Entry, Layout
from data_utils.near_duplicates import near_duplicate_pairs
from data_utils.open_image import RefusedImage
from data_utils.set_arrays import FORMAT, assemble
from data_utils.wording import counted

CODE_VERSION = 3  # raise it whenever the same files would give other arrays
AHEAD = 8  # images per thread that may wait to be stored

Stamp = tuple[int, int, int] | None  # size, modification time in ns, mode; None where there is no file
Progress = Callable[[int, int], None]  # told how many of how many images are done


class Decoding:
    """The decoding of one layout at one size, a context in which ``build`` may be called once.

    Args:
        layout: what was recognised.
        size: side of the square images.
        folder: the cache folder; unfinished work lies there and is continued.
        skip_bad: leave out refused files instead of stopping.
        workers: threads; Pillow decodes outside the interpreter's lock.
        progress: told after each shard.
    """

    def __init__(
        self,
        layout: Layout,
        size: int,
        folder: Path,
        *,
        skip_bad: bool,
        workers: int,
        progress: Progress | None = None,
    ) -> None:
        self.layout, self.size, self.folder = layout, size, folder
        self.skip_bad, self.workers, self.progress = skip_bad, workers, progress
        self._stamps = {path: stamp(path) for entry in layout.entries for path in files_of(entry)}
        place = hashlib.sha256(os.fsencode(layout.root.resolve()) + repr(size).encode()).hexdigest()
        self._work = folder / f"{place[:32]}.decoding"
        self._lock = FileLock(self._work.with_suffix(".lock"))

    @cached_property
    def key(self) -> str:
        """Hash of everything the arrays depend on; files by name, size, time and mode, not by content."""
        digest = hashlib.sha256(self._plan.encode())
        digest.update(repr((FORMAT, self.layout.kind, self.skip_bad)).encode())
        for entry in self.layout.entries:
            digest.update(repr((entry.category, entry.split)).encode(errors="backslashreplace"))
        for path in self.layout.unpaired:
            digest.update(b"\0unpaired\0" + os.fsencode(path.relative_to(self.layout.root)))
        return digest.hexdigest()

    @cached_property
    def _plan(self) -> str:
        """Hash of everything the decoded images depend on, in their order."""
        digest = hashlib.sha256(repr((CODE_VERSION, PIL.__version__, self.size)).encode())
        # Archives unpack different pictures with equal names and times, so the folder counts too.
        digest.update(os.fsencode(self.layout.root.resolve()))
        for entry in self.layout.entries:
            for path in files_of(entry):
                name = os.fsencode(path.relative_to(self.layout.root))
                digest.update(b"\0" + name + repr(self._stamps[path]).encode())
            digest.update(b"\1")
        return digest.hexdigest()

    def build(self) -> Mapping[str, np.ndarray | Path]:
        """Decode all images that an earlier, interrupted call has not decoded.

        Returns:
            Arrays for ``image_set``, the pixels as files.

        Raises:
            RefusedFiles: some files are refused and bad ones are not skipped.
            DataError: too few images for three splits, or too little room on the disk.
        """
        with explained(self.folder):
            self._lock.acquire()
            shards = DecodedShards(self._work, self._plan, len(self.layout.entries), self.size)
            self._decode_missing(shards)
        return self._assembled(shards)

    def __enter__(self) -> Decoding:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let others work on these images; what an interruption left stays, to be continued."""
        unusable = kind is not None and issubclass(kind, DataError)
        goes_on = kind is not None and (issubclass(kind, RefusedFiles | CacheError) or not unusable)
        if self._lock.is_locked:
            if not goes_on:
                shutil.rmtree(self._work, ignore_errors=True)
            self._lock.release()

    def _decode_missing(self, shards: DecodedShards) -> None:
        missing = shards.missing()
        done = len(self.layout.entries) - sum(map(len, missing))
        results = self._results([self.layout.entries[position] for shard in missing for position in shard])
        for shard in missing:
            shards.store(shard.start, [_row(next(results), self.layout.root) for _ in shard])
            done += len(shard)
            if self.progress is not None:
                self.progress(done, len(self.layout.entries))

    def _assembled(self, shards: DecodedShards) -> Mapping[str, np.ndarray | Path]:
        known = shards.facts()
        refused = [
            Refused(self._name(path), "it has no partner of the same name") for path in self.layout.unpaired
        ]
        refused += [Refused(*fact["refused"]) for fact in known if "refused" in fact]
        if refused and not self.skip_bad:
            shards.forget_refused()
            raise self._refusal(refused)
        kept = np.array([position for position, fact in enumerate(known) if "refused" not in fact], np.int64)
        entries, facts = [self.layout.entries[k] for k in kept], [known[k] for k in kept]
        with explained(self.folder):
            shards.keep(kept)
        contents = [fact["content"] for fact in facts]
        arrays = assemble(
            printable(self.layout.root),
            names=[str(entry.colour.relative_to(self.layout.root)) for entry in entries],
            labels=[entry.category for entry in entries],
            given=[entry.split for entry in entries],
            contents=contents,
            near=near_duplicate_pairs(shards.thumbnails.read(), contents),
            arrays={
                "grey": shards.grey.read(),
                "colour": shards.colour.read(),
                "colour_spread": np.array([fact["colour_spread"] for fact in facts], np.float32),
                "grey_error": np.array([fact["grey_error"] for fact in facts], np.float32),
                "original_size": np.array([f["original_size"] for f in facts], np.int32).reshape(-1, 2),
            },
            refused=refused,
        )
        return {**arrays, "grey": shards.grey.path, "colour": shards.colour.path}

    def _results(self, entries: list[Entry]) -> Iterator[Decoded | RefusedImage]:
        """Decode in parallel, in the given order, a bounded number ahead of what is taken."""
        pending: deque[Future[Decoded | RefusedImage]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for entry in entries:
                    pending.append(pool.submit(self._decode, entry))
                    if len(pending) >= AHEAD * self.workers:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _refusal(self, refused: list[Refused]) -> RefusedFiles:
        root, total = printable(self.layout.root), len(self.layout.entries)
        return RefusedFiles(
            f"{len(refused)} of {counted(total, 'image')} in {root} cannot be used; repair or remove what is listed, "
            "or go on without them with --skip-bad-images:\n"
            + "\n".join(f"  {item.file}: {item.reason}" for item in refused)
        )

    def _name(self, path: Path) -> str:
        return printable(path.relative_to(self.layout.root))

    def _decode(self, entry: Entry) -> Decoded | RefusedImage:
        try:
            decoded = decode_entry(entry, self.size)
            for path in files_of(entry):
                if stamp(path) != self._stamps[path]:
                    raise RefusedImage(
                        path, "it changed while it was being read; start again when it is complete"
                    )
        except RefusedImage as refusal:
            return refusal
        return decoded


def _row(result: Decoded | RefusedImage, root: Path) -> Row:
    """What is stored of an image: pixels and facts, or the refusal alone."""
    if isinstance(result, RefusedImage):
        return None, {"refused": [printable(result.path.relative_to(root)), result.reason]}
    return result[:3], asdict(result.facts)


def files_of(entry: Entry) -> list[Path]:
    """The colour file of an image and, where there is one, its grey file."""
    return [entry.colour] if entry.grey is None else [entry.colour, entry.grey]


def stamp(path: Path) -> Stamp:
    """What tells that a file has changed, short of reading it."""
    try:
        status = os.stat(path)
    except OSError:
        return None  # the decoder says what is wrong with it
    return status.st_size, status.st_mtime_ns, status.st_mode
