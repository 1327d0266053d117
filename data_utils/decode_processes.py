"""Decoding in processes of their own, which write pixels where they belong and send facts back.

They are started as commands rather than forked (the driver has threads) or spawned (that would run the user's script
again), take one shard at a time as a line of JSON, and end when the driver does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from data_utils.entry_files import Stamp
from data_utils.errors import CacheError
from data_utils.layouts import Entry

_HOME = Path(__file__).parents[1]
Job = tuple[
    Path, str, int, int, Path
]  # work folder, plan, number of images, side in pixels, root of the files
Work = tuple[
    int, list[tuple[Entry, list[Stamp]]]
]  # first position, and entries with the stamps of their files


def decoded_elsewhere(
    job: Job, shards: Sequence[range], work: Callable[[range], Work], processes: int
) -> Iterator[tuple[range, list[dict[str, Any]]]]:
    """Have shards decoded and their pixels stored.

    Args:
        job: What the shards have in common.
        shards: To be decoded.
        work: Says what a shard consists of.
        processes: How many work at a time.

    Returns:
        Each shard with the facts of its images, in the order in which they become ready.

    Raises:
        CacheError: A process ended before its work.
        OSError: The pixels cannot be written.
    """
    count = min(processes, len(shards))
    idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()

    def decode(shard: range) -> tuple[range, list[dict[str, Any]]]:
        worker = idle.get()
        try:
            return shard, _answer(worker, _message(work(shard)))
        finally:
            idle.put(worker)

    with ExitStack() as stack:
        pool = ThreadPoolExecutor(count)
        stack.callback(pool.shutdown, cancel_futures=True)
        for _ in range(count):
            worker = _worker(job)
            # Before the pool waits for its threads: what an interrupted shard lacks is decoded the next time.
            stack.callback(_end, worker)
            idle.put(worker)
        for ready in as_completed([pool.submit(decode, shard) for shard in shards]):
            yield ready.result()


def _worker(job: Job) -> subprocess.Popen[str]:
    folder, plan, count, size, root = job
    command = [sys.executable, "-P", "-m", "data_utils.decode_worker"]
    where = [os.fspath(folder), plan, str(count), str(size), os.fspath(root)]
    return subprocess.Popen(
        command + where,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_HOME), *filter(None, sys.path)])},
    )


def _message(work: Work) -> str:
    first, entries = work
    files = [[os.fspath(e.colour), e.grey and os.fspath(e.grey), stamps] for e, stamps in entries]
    return json.dumps([first, files])  # in ASCII, whatever bytes the names consist of


def _answer(worker: subprocess.Popen[str], message: str) -> list[dict[str, Any]]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(message + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        raise CacheError(
            f"A process that decodes images ended before its work (code {worker.wait()}), perhaps for want of memory; "
            "start again to go on from there."
        )
    answer = json.loads(line)
    if "number" in answer:
        raise OSError(answer["number"], answer["reason"])
    facts: list[dict[str, Any]] = answer["facts"]
    return facts


def _end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        with suppress(BrokenPipeError):  # of a message that nobody reads any more
            if pipe is not None:
                pipe.close()
