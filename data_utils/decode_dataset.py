"""From the files of a layout to arrays, in parallel, with every refusal collected before anything stops.

Few images are decoded in threads of this process; many in processes of their own, shard by shard, since threads
wait for each other between Pillow's calls.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import PIL
from filelock import FileLock

from data_utils.cache import explained
from data_utils.decode_entry import Row, decode_row
from data_utils.decode_processes import Work, decoded_elsewhere
from data_utils.decoded_shards import DecodedShards
from data_utils.entry_files import Stamp, files_of, stamp
from data_utils.errors import CacheError, DataError, RefusedFiles, printable
from data_utils.image_set import Refused
from data_utils.layouts import Entry, Layout
from data_utils.near_duplicates import near_duplicate_pairs
from data_utils.set_arrays import FORMAT, assemble
from data_utils.wording import counted

CODE_VERSION = 4  # raise it whenever the same files would give other arrays
AHEAD = 8  # images per thread that may wait to be stored
MANY = 2048  # images; for fewer, processes would not make up for their start

Progress = Callable[[int, int], None]  # told how many of how many images are done


class Decoding:
    """The decoding of one layout at one size, a context in which ``build`` may be called once.

    Args:
        layout: what was recognised.
        size: side of the square images.
        folder: the cache folder; unfinished work lies there and is continued.
        address: where the layout's folder was fetched from, which then counts in its place: the arrays have the same
            key wherever that folder lies.
        skip_bad: leave out refused files instead of stopping.
        workers: threads or processes.
        progress: told after each shard.
    """

    def __init__(
        self,
        layout: Layout,
        size: int,
        folder: Path,
        *,
        address: str | None = None,
        skip_bad: bool,
        workers: int,
        progress: Progress | None = None,
    ) -> None:
        self.layout, self.size, self.folder = layout, size, folder
        self.skip_bad, self.workers, self.progress = skip_bad, workers, progress
        self._stamps = {path: stamp(path) for entry in layout.entries for path in files_of(entry)}
        self._fetched = address is not None
        self._place = os.fsencode(address or layout.root.resolve())
        place = hashlib.sha256(self._place + repr(size).encode()).hexdigest()
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
        digest.update(self._place)
        for entry in self.layout.entries:
            for path in files_of(entry):
                name = os.fsencode(path.relative_to(self.layout.root))
                known = self._stamps[path]
                # The mode of a fetched file is that of this machine's user.
                counts = known[:2] if self._fetched and known else known
                digest.update(b"\0" + name + repr(counts).encode())
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
        left = sum(map(len, missing))
        done = len(self.layout.entries) - left
        elsewhere = self.workers > 1 and left >= MANY
        for shard in (self._elsewhere if elsewhere else self._here)(shards, missing):
            done += len(shard)
            if self.progress is not None:
                self.progress(done, len(self.layout.entries))

    def _here(self, shards: DecodedShards, missing: list[range]) -> Iterator[range]:
        rows = self._rows([self.layout.entries[position] for shard in missing for position in shard])
        for shard in missing:
            stored = []
            for position in shard:
                pixels, facts = next(rows)
                shards.store_pixels(position, pixels)
                stored.append(facts)
            shards.store_facts(shard.start, stored)
            yield shard

    def _elsewhere(self, shards: DecodedShards, missing: list[range]) -> Iterator[range]:
        def work(shard: range) -> Work:
            entries = [self.layout.entries[position] for position in shard]
            return shard.start, [(entry, self._stamps_of(entry)) for entry in entries]

        job = (self._work, self._plan, len(self.layout.entries), self.size, self.layout.root)
        for shard, facts in decoded_elsewhere(job, missing, work, self.workers):
            shards.store_facts(shard.start, facts)
            yield shard

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
            pixels=[fact["pixels"] for fact in facts],
            near=near_duplicate_pairs(shards.thumbnails.read(), contents, self.workers),
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

    def _rows(self, entries: list[Entry]) -> Iterator[Row]:
        """Decode in parallel, in the given order, a bounded number ahead of what is taken."""
        pending: deque[Future[Row]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for entry in entries:
                    stamps = self._stamps_of(entry)
                    pending.append(pool.submit(decode_row, entry, stamps, self.size, self.layout.root))
                    if len(pending) >= AHEAD * self.workers:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _stamps_of(self, entry: Entry) -> list[Stamp]:
        return [self._stamps[path] for path in files_of(entry)]

    def _refusal(self, refused: list[Refused]) -> RefusedFiles:
        root, total = printable(self.layout.root), len(self.layout.entries)
        return RefusedFiles(
            f"{len(refused)} of {counted(total, 'image')} in {root} cannot be used; repair or remove what is listed, "
            "or go on without them with --skip-bad-images:\n"
            + "\n".join(f"  {item.file}: {item.reason}" for item in refused)
        )

    def _name(self, path: Path) -> str:
        return printable(path.relative_to(self.layout.root))
