"""How many trials a Ray cluster has room for, while its nodes come and go."""

from __future__ import annotations

import time

import ray

_SECONDS = 2.0


class Room:
    """Counts the places for trials; a node that joins or is lost is noticed within seconds.

    Args:
        cpus: What one trial takes.
        gpus: What one trial takes; fractions share a GPU.
    """

    def __init__(self, cpus: float, gpus: float) -> None:
        self._needs = {name: amount for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
        self._places = 1
        self._counted = float("-inf")

    def __call__(self) -> int:
        """Number of trials at the same time; at least one, so that a cluster which grows on demand has a demand."""
        if time.monotonic() - self._counted > _SECONDS:
            alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
            self._places = max(1, sum(self._places_on(resources) for resources in alive))
            self._counted = time.monotonic()
        return self._places

    def _places_on(self, resources: dict[str, float]) -> int:
        return min(int(resources.get(name, 0.0) / amount + 1e-6) for name, amount in self._needs.items())
