"""Notices trials that cannot start, nodes that can have none, and workers that have stopped: no study waits in silence.

A trial is mentioned after five times the longest that its cell has taken between two reports (at least one minute),
and its process is ended after twenty times (at least five minutes); Ray Tune then retries it from its last checkpoint.
While its cell has no report yet, nothing is known of its pace: it is mentioned after ten minutes, and left alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from study.backend.capacity import Resources, described, trials_on

TOLD_AFTER, ENDED_AFTER = 5, 20
_LEAST_TOLD, _LEAST_ENDED, _UNKNOWN_TOLD = 60.0, 300.0, 600.0
_UNPLACED_SECONDS = 60.0
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS = 1.0
_TO_ASK_FOR_LESS = (
    "to ask for less, interrupt it and go on with --resume and another resources.cpus_per_trial or "
    "gpus_per_trial"
)


@dataclass(frozen=True)
class Seen:
    """A trial as it is now.

    Attributes:
        key: Its name.
        cell: Its cell.
        running: Whether it has a process.
        end: Ends that process.
    """

    key: str
    cell: str
    running: bool
    end: Callable[[], None]


class Watch:
    """Looks at the trials from time to time.

    Args:
        say: Prints a sentence.
        request: What a trial asks for.
        nodes: What the nodes of the cluster have.
        getting_ready: A sentence on nodes that cannot have trials yet; empty if there are none.
        clock: Seconds from some start.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        request: Callable[[], Resources],
        nodes: Callable[[], Sequence[Resources]],
        getting_ready: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._request = request
        self._nodes = nodes
        self._getting_ready = getting_ready
        self._clock = clock
        self._looked = float("-inf")
        self._unplaced_since: float | None = None
        self._told_ready = float("-inf")
        self._told_nodes = ""
        self._heard: dict[str, float] = {}
        self._longest: dict[str, float] = {}
        self._told: set[str] = set()
        self._said: set[str] = set()

    def heard(self, key: str, cell: str) -> None:
        """A trial has reported."""
        now = self._clock()
        if key in self._heard:
            self._longest[cell] = max(self._longest.get(cell, 0.0), now - self._heard[key])
        self._heard[key] = now
        if key in self._told:
            self._told.discard(key)
            self._say(f"{key} reports again.")

    def look(self, trials: Collection[Seen]) -> None:
        """Mention what waits or has stopped; more often than once a second it does nothing."""
        now = self._clock()
        if now - self._looked < _SECONDS:
            return
        self._looked = now
        running = [trial for trial in trials if trial.running]
        self._look_for_room(now, waiting=bool(trials) and not running)
        if running:
            self._look_for_idle_nodes()
        for key in self._heard.keys() - {trial.key for trial in running}:
            del self._heard[key]  # its process has gone; the next one begins anew
            self._told.discard(key)
        for trial in running:
            self._look_at(trial, now - self._heard.setdefault(trial.key, now))

    def _look_for_room(self, now: float, *, waiting: bool) -> None:
        if not waiting:
            self._unplaced_since, self._told_nodes = None, ""
            return
        if sentence := self._getting_ready():
            self._unplaced_since = None
            if now - self._told_ready >= _SECONDS_BETWEEN_LINES:
                self._told_ready = now
                self._say(sentence)
            return
        if self._unplaced_since is None:
            self._unplaced_since = now
        if now - self._unplaced_since < _UNPLACED_SECONDS:
            return
        nodes = _summary(self._nodes())
        if nodes != self._told_nodes:
            self._told_nodes = nodes
            self._say(
                f"No trial runs yet: each asks for {described(self._request())} on one node, and the cluster has "
                f"{nodes}, some of it perhaps taken by others. The study waits for room; {_TO_ASK_FOR_LESS}."
            )

    def _look_for_idle_nodes(self) -> None:
        needs, nodes = self._request(), self._nodes()
        idle = [node for node in nodes if node.get("CPU") and not trials_on(node, needs)]
        if idle and any(trials_on(node, needs) for node in nodes):
            self.say_once(
                f"Each trial asks for {described(needs)}, so {_summary(idle)} can have none; {_TO_ASK_FOR_LESS} "
                "(0 trains on CPUs)."
            )

    def say_once(self, sentence: str) -> None:
        """Say a sentence, unless it was said before."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)

    def _look_at(self, trial: Seen, silent: float) -> None:
        longest = self._longest.get(trial.cell)
        if longest is not None and silent > max(_LEAST_ENDED, ENDED_AFTER * longest):
            self._say(
                f"{trial.key} has not reported for {_span(silent)}: its process is ended, and it is tried again."
            )
            self._heard[trial.key] = self._clock()
            self._told.discard(trial.key)
            trial.end()
            return
        patience = _UNKNOWN_TOLD if longest is None else max(_LEAST_TOLD, TOLD_AFTER * longest)
        if silent > patience and trial.key not in self._told:
            self._told.add(trial.key)
            usual = "" if longest is None else f", where {_span(longest)} were enough so far"
            self._say(f"{trial.key} has not reported for {_span(silent)}{usual}.")


def _summary(nodes: Sequence[Resources]) -> str:
    """`2 nodes of 4 CPU, 1 node of 8 CPU and 1 GPU`."""
    counted = Counter(described(node) for node in nodes)
    return ", ".join(f"{n} node{'s' * (n > 1)} of {what}" for what, n in sorted(counted.items())) or "no node"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
