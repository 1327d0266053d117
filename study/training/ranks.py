"""A trial on several GPUs: its own process leads, and one more for each further GPU follows.

The leader alone validates, keeps files and reports. A follower opens the same data, builds the same networks and
continues from the same checkpoint; then it trains along for as many epochs as it is told, and waits. A follower whose
leader has gone ends at once, and a leader that loses a follower fails with a sentence instead of waiting for it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import torch
from torch import nn

from data_utils.image_set import CacheEntry, SetSource
from data_utils.mapped_set import open_arrays, open_set
from models.collectives import PATIENCE, give_up, join, leave
from models.hardware import choose_device
from models.plugins import load_packed
from study.errors import StudyError
from study.search.trial_spec import TrialSpec
from study.settings.identity import Identity
from study.settings.schema import StudySettings
from study.training.data import TrialData
from study.training.features import opened_features
from study.training.trial import Rank, Trial

_SOON = 5.0
"""Seconds in which a process that has failed has said so, or ended."""

Plugins = Mapping[str, str | None]


def ranks_of(settings: StudySettings) -> int:
    """How many processes train a trial of a study: one on each of its GPUs."""
    gpus = settings.resources.gpus_per_trial or 1
    return int(gpus) if gpus > 1 and choose_device(settings.model.device).type == "cuda" else 1


@dataclass(frozen=True)
class Work:
    """A trial, as a follower must know it.

    Attributes:
        images: Where this machine has the images.
        features: Where it has VGG16's features of them; None if they are computed of every batch, or not needed.
        describer: VGG16 as the architecture needs it; None if it does not.
    """

    settings: StudySettings
    spec: TrialSpec
    study: Identity
    images: SetSource
    features: CacheEntry | None = None
    describer: nn.Module | None = None

    def data(self) -> TrialData:
        """Open what the leader has opened already."""
        images = open_set(self.images)
        if images is None:
            raise StudyError(f"The images of {self.spec.dataset} are not in the cache any more.")
        if self.describer is None:
            return TrialData(images)
        describer, device = self.describer, choose_device(self.settings.model.device)
        arrays = None if self.features is None else open_arrays(self.features)
        return TrialData(images, *opened_features(arrays, lambda: describer, device))


class Leader(Rank):
    """The first process of a trial's, which starts the others; they serve one trial after the other.

    Args:
        size: How many there are, itself included.
        device: Of the study; of a GPU, each has the one of its own number.
        threads: Of each follower.
        plugins: See `models.plugins.packed`.

    Attributes:
        ended: Whether it has followers no longer, as after an error.

    Raises:
        StudyError: A follower could not start.
    """

    def __init__(
        self, size: int, device: torch.device, threads: int = 1, plugins: Plugins | None = None
    ) -> None:
        super().__init__(0, size)
        self._folder = TemporaryDirectory(prefix="ranks-")
        self.ended = False
        meeting = Path(self._folder.name) / "meeting"
        self._followers = [
            _Follower(number, (number, size, meeting, device, threads, dict(plugins or {})))
            for number in range(1, size)
        ]
        Thread(target=self._watch, daemon=True).start()
        with self._obeyed():  # they have started
            pass
        with self._obeyed():
            join(0, size, meeting, device)

    @contextmanager
    def beginning(self, work: Work) -> Iterator[None]:
        """Within it, all processes build a trial.

        Raises:
            StudyError: A follower failed or ended.
        """
        self._tell(work)
        with self._obeyed():
            yield

    @contextmanager
    def training(self, epochs: int) -> Iterator[None]:
        """Within it, all processes of the trial train for so many epochs.

        Raises:
            StudyError: A follower failed or ended.
        """
        self._tell(epochs)
        with self._obeyed():
            yield

    def end(self) -> None:
        """End the followers, wherever they are: they keep no files."""
        self.ended = True
        for follower in self._followers:
            follower.process.kill()
        leave()
        for follower in self._followers:
            follower.process.join()
        self._folder.cleanup()

    def _tell(self, order: Work | int) -> None:
        message = pickle.dumps(order)  # whole: what torch sends in its own way takes shared memory
        for follower in self._followers:
            follower.tell(message)

    @contextmanager
    def _obeyed(self) -> Iterator[None]:
        """While the leader does its own part; afterwards each follower must have done what it was told last."""
        try:
            yield
            seconds = PATIENCE.total_seconds()
            if failures := [said for one in self._followers if (said := one.answer(seconds))]:
                raise StudyError(" ".join(failures))
        except BaseException as error:
            # Torch's errors say that a connection was lost, and not why.
            lost = self._lost() if isinstance(error, RuntimeError) else []
            self.end()
            if lost:
                raise StudyError(" ".join(lost)) from error
            raise

    def _lost(self) -> list[str]:
        wait([follower.pipe for follower in self._followers], _SOON)
        return [said for one in self._followers if one.pipe.poll() and (said := one.answer(_SOON))]

    def _watch(self) -> None:
        wait([follower.process.sentinel for follower in self._followers])
        if not self.ended:
            give_up()


class _Follower:
    """A follower, as its leader sees it.

    Args:
        number: From 1.
        arguments: Of `_follow`, but for its pipe.
    """

    def __init__(self, number: int, arguments: tuple[object, ...]) -> None:
        self._number = number
        fresh = multiprocessing.get_context("spawn")
        self.pipe, theirs = fresh.Pipe()
        self.process = fresh.Process(target=_follow, args=(*arguments, theirs), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def tell(self, message: bytes) -> None:
        """Give an order; one that has gone does not hear it, and `answer` says so."""
        with suppress(OSError):
            self.pipe.send_bytes(message)

    def answer(self, seconds: float) -> str:
        """What is wrong with it, in a sentence; empty once it has done what it was told last."""
        who = f"The process of GPU {self._number} of this trial"
        try:
            if not self.pipe.poll(seconds):
                return f"{who} has not answered for {seconds:.0f} s."
            said: str = self.pipe.recv()
            return said and f"{who} failed ({said})."
        except (EOFError, OSError):
            self.process.join(_SOON)
            return f"{who} ended with exit code {self.process.exitcode}."


def _follow(
    number: int,
    size: int,
    meeting: Path,
    device: torch.device,
    threads: int,
    plugins: Plugins,
    pipe: Connection,
) -> None:
    """What a follower does, from its start to its end."""
    Thread(target=_end_with_leader, daemon=True).start()
    try:
        torch.set_num_threads(threads)
        if device.type == "cuda":
            torch.cuda.set_device(number)
        load_packed(dict(plugins))
        pipe.send("")
        join(number, size, meeting, device)
        pipe.send("")
        trial: Trial | None = None
        while True:
            order = pickle.loads(pipe.recv_bytes())
            if isinstance(order, Work):
                trial = None  # its memory is for the next one
                trial = Trial(order.settings, order.spec, order.data(), order.study, Rank(number, size))
            elif trial is not None:
                trial.follow(order)
            pipe.send("")
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
        sys.exit(1)


def _end_with_leader() -> None:
    leader = multiprocessing.parent_process()
    if leader is not None:
        wait([leader.sentinel])
        os._exit(1)
