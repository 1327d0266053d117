"""How many trials a cluster can run at a time."""

import pytest
import ray

from study.backend.capacity import Capacity


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": {name: float(amount) for name, amount in resources.items()}}


@pytest.mark.parametrize(
    ("cpus", "gpus", "nodes", "trials"),
    [
        (1, 0, [node(CPU=2), node(CPU=4)], 6),
        (3, 0, [node(CPU=2), node(CPU=4)], 1),
        (1, 1, [node(CPU=16), node(CPU=8, GPU=2)], 2),
        (1, 0.1, [node(CPU=16, GPU=1)], 10),
        (1, 0.4, [node(CPU=16, GPU=2)], 4),
        (1, 0, [node(CPU=2), node(alive=False)], 2),
        (1, 1, [node(CPU=2)], 1),
    ],
    ids=[
        "CPUs",
        "a trial fits on one node",
        "GPUs",
        "shared GPU",
        "no trial on parts of two GPUs",
        "lost node",
        "none yet",
    ],
)
def test_capacity_is_counted_on_each_living_node(monkeypatch, cpus, gpus, nodes, trials):
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    assert Capacity(cpus, gpus)() == trials


def test_a_node_that_joins_is_noticed(monkeypatch):
    monkeypatch.setattr("study.backend.capacity._SECONDS", 0.0)
    nodes = [node(CPU=1)]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    capacity = Capacity(1, 0)
    assert capacity() == 1
    nodes.append(node(CPU=1))
    assert capacity() == 2
