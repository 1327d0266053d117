"""Which nodes of a cluster may have trials: those that see the study's storage and have its data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.backend.capacity import Resources
from study.storage.owner import storage_owner
from study.storage.storage import Storage, StorageError

NODE_LABEL = "ray.io/node-id"
_PATIENCE_SECONDS = 60.0


def why_unseen(uri: str, identity: str) -> str:
    """Why this machine cannot use a study's storage; empty if it can: it reads the study's mark, and writes.

    Args:
        uri: The storage's.
        identity: The study's, which the driver has written there.
    """
    try:
        storage = Storage(uri)
        if storage_owner(storage) != identity:
            return "what the study has written is not there"
        storage.check()
    except StorageError as error:
        return str(error).rstrip(".")
    return ""


class ReadyNodes:
    """The living nodes that see the storage and have the data; the driver's has both.

    Each of the others is asked once what it sees, and then told once to bring the data, by tasks of their own. Trials
    begin elsewhere meanwhile.

    Args:
        uri: The storage's.
        identity: The study's.
        driver: Id of the driver's node.
        bring: Brings the data to the node that it runs on, and returns a sentence for the user or none; raises where
            that is not possible.
        say: Told of each node that gets no trial.
    """

    def __init__(
        self, uri: str, identity: str, driver: str, bring: Callable[[], str], say: Callable[[str], None]
    ) -> None:
        self._uri = uri
        self._identity = identity
        self._bring = bring
        self._say = say
        self._asked: dict[str, Any] = {}
        self._bringing: dict[str, Any] = {}
        self._since = 0.0
        self._ready = {driver}
        self._nodes: dict[str, dict[str, Any]] = {}

    def __call__(self) -> list[Resources]:
        """Their resources; the first call waits until all nodes have said what they see, later ones for nothing."""
        patience = 0.0 if self._nodes else _PATIENCE_SECONDS
        self._nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        for name in self._nodes.keys() - self._ready - self._asked.keys():
            self._asked[name] = self._on(name, why_unseen, self._uri, self._identity)
        for name, reason in _answers(self._asked, patience).items():
            self._take_sight(name, reason)
        for name, note in _answers(self._bringing, 0.0).items():
            self._take_data(name, note)
        return [node["Resources"] for name, node in self._nodes.items() if name in self._ready]

    def waiting_for(self) -> str:
        """What nodes are doing before they can have trials, as a sentence; empty where none does anything."""
        self()
        busy = sorted(self._address(name) for name, task in self._bringing.items() if task is not None)
        if not busy:
            return ""
        seconds = time.monotonic() - self._since
        return (
            f"The images are being brought to {', '.join(busy)} ({seconds:.0f} s so far); trials begin there when they "
            "have arrived."
        )

    def placement(self) -> dict[str, Any]:
        """What keeps a placement group of one bundle from the other nodes; nothing where there are none."""
        others = sorted(self._nodes.keys() - self._ready)
        return {"bundle_label_selector": [{NODE_LABEL: f"!in({','.join(others)})"}]} if others else {}

    def _on(self, node: str, function: Callable[..., str], *arguments: Any) -> Any:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        return ray.remote(num_cpus=0)(function).options(scheduling_strategy=there).remote(*arguments)

    def _take_sight(self, name: str, reason: str | ray.exceptions.RayError) -> None:
        if isinstance(reason, ray.exceptions.RayError):
            del self._asked[name]  # its process was lost; it is asked again if it is alive
            return
        if not reason:
            self._since = self._since or time.monotonic()
            self._bringing[name] = self._on(name, self._bring)
            return
        self._say(
            f"The node {self._address(name)} does not see the study's storage {self._uri} ({reason}) and gets no "
            "trial; mount it there, or give --storage a folder that every node sees or an object store."
        )

    def _take_data(self, name: str, note: str | ray.exceptions.RayError) -> None:
        if not any(self._bringing.values()):
            self._since = 0.0
        if isinstance(note, ray.exceptions.RayTaskError):
            cause = str(note.cause).strip().splitlines() or [type(note.cause).__name__]
            self._say(f"The node {self._address(name)} gets no trial: {cause[-1]}")
        elif isinstance(note, ray.exceptions.RayError):
            if name in self._nodes:
                self._say(
                    f"The node {self._address(name)} lost the process that brought the images; once more …"
                )
                self._bringing[name] = self._on(name, self._bring)
        else:
            self._ready.add(name)
            if note:
                self._say(f"The node {self._address(name)}: {note}")

    def _address(self, name: str) -> str:
        return str(self._nodes.get(name, {}).get("NodeManagerAddress", name))


def _answers(tasks: dict[str, Any], patience: float) -> dict[str, Any]:
    """What has been answered since the last time, or the error; answered tasks become None."""
    waiting = {task: name for name, task in tasks.items() if task is not None}
    done, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=patience) if waiting else ([], [])
    found = {}
    for task in done:
        tasks[waiting[task]] = None
        try:
            found[waiting[task]] = ray.get(task)
        except ray.exceptions.RayError as error:
            found[waiting[task]] = error
    return found
