"""What a trial asks of a cluster, and how many trials the cluster has room for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

_SECONDS = 2.0

Resources = Mapping[str, float]


def living_nodes() -> list[Resources]:
    """The resources of each node of the cluster that is alive."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


class Capacity:
    """How many trials a cluster can run at a time; nodes that join or are lost are noticed within seconds.

    Args:
        cpus: CPUs of one trial.
        gpus: GPUs of one trial; with a fraction, trials share a GPU. None: one as soon as a node has any.
        nodes: What each node that may have a trial has.
    """

    def __init__(
        self, cpus: float, gpus: float | None, nodes: Callable[[], Sequence[Resources]] = living_nodes
    ) -> None:
        self._cpus = cpus
        self._gpus = gpus
        self._ask = nodes
        self._nodes: Sequence[Resources] = []
        self._counted = float("-inf")

    def __call__(self) -> int:
        """Number of trials; at least one, since a cluster that grows on demand needs a demand."""
        needs = self.request()
        return max(1, sum(trials_on(node, needs) for node in self._nodes))

    def request(self) -> dict[str, float]:
        """What the next trial asks for, by Ray's names."""
        if time.monotonic() - self._counted > _SECONDS:
            self._nodes = self._ask()
            self._counted = time.monotonic()
        gpus = self._gpus
        if gpus is None:
            gpus = 1.0 if any(node.get("GPU") for node in self._nodes) else 0.0
        return {name: amount for name, amount in (("CPU", self._cpus), ("GPU", gpus)) if amount}


def trials_on(node: Resources, needs: Resources) -> int:
    """Trials that a node has room for when nothing else runs there."""
    return min(_rooms(name, node.get(name, 0.0), amount) for name, amount in needs.items())


def _rooms(name: str, there: float, amount: float) -> int:
    if name == "GPU" and amount < 1:  # what is left of one GPU and of another makes no third share
        return int(there) * int(1 / amount + 1e-6)
    return int(there / amount + 1e-6)


def described(resources: Resources) -> str:
    """`2 CPU and 1 GPU`."""
    parts = [f"{resources[name]:g} {name}" for name in ("CPU", "GPU") if resources.get(name)]
    return " and ".join(parts) or "no CPU"
