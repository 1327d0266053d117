"""Which nodes of a cluster see the study's storage: the others get no trial."""

from __future__ import annotations

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


class SeeingNodes:
    """The living nodes that see the storage. Each is asked once, by a task of its own; the driver's need not be.

    Args:
        uri: The storage's.
        identity: The study's.
        driver: Id of the driver's node.
        say: Told of each node that does not see it.
    """

    def __init__(self, uri: str, identity: str, driver: str, say: Callable[[str], None]) -> None:
        self._uri = uri
        self._identity = identity
        self._say = say
        self._asked: dict[str, Any] = {}
        self._seeing = {driver}
        self._alive: set[str] = {driver}

    def __call__(self) -> list[Resources]:
        """Their resources; the first call waits for the answers of all nodes, later ones for none."""
        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        self._alive = set(nodes)
        patience = 0.0 if self._asked else _PATIENCE_SECONDS
        for name in self._alive - self._seeing - self._asked.keys():
            self._asked[name] = self._ask(name)
        waiting = {answer: name for name, answer in self._asked.items() if answer is not None}
        done, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=patience) if waiting else ([], [])
        for answer in done:
            self._take(answer, nodes.get(waiting[answer], {}))
        return [node["Resources"] for name, node in nodes.items() if name in self._seeing]

    def _ask(self, node: str) -> Any:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        return (
            ray.remote(num_cpus=0)(why_unseen)
            .options(scheduling_strategy=there)
            .remote(self._uri, self._identity)
        )

    def _take(self, answer: Any, node: dict[str, Any]) -> None:
        name = next(one for one, asked in self._asked.items() if asked is answer)
        self._asked[name] = None
        try:
            reason = ray.get(answer)
        except ray.exceptions.RayError:  # the node was lost meanwhile
            return
        if not reason:
            self._seeing.add(name)
            return
        address = node.get("NodeManagerAddress", name)
        self._say(
            f"The node {address} does not see the study's storage {self._uri} ({reason}) and gets no trial; mount it "
            "there, or give --storage a folder that every node sees or an object store."
        )

    def placement(self) -> dict[str, Any]:
        """What keeps a placement group of one bundle from the other nodes; nothing where there are none."""
        others = sorted(self._alive - self._seeing)
        return {"bundle_label_selector": [{NODE_LABEL: f"!in({','.join(others)})"}]} if others else {}
