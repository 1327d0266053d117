"""The kernel inception distance, with features in place of the network's."""

import math

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.metrics import kid
from models.metrics.kid import FEWEST, features_of, inception, kernel_distance


def features(count: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (count, 16))


def test_it_is_the_textbook_estimate():
    x, y = features(30, 0.5), features(30, seed=1)
    kernel = lambda a, b: (a @ b / 16 + 1) ** 3  # noqa: E731
    terms = [
        kernel(x[i], x[j]) + kernel(y[i], y[j]) - kernel(x[i], y[j]) - kernel(x[j], y[i])
        for i in range(30)
        for j in range(30)
        if i != j
    ]
    assert kernel_distance(x, y).value == pytest.approx(np.mean(terms))


def test_the_interval_holds_no_difference_of_equals_as_often_as_it_says():
    held = [
        found.low <= 0 <= found.high
        for seed in range(200)
        if (found := kernel_distance(features(60, seed=seed), features(60, seed=1000 + seed)))
    ]
    assert 0.88 < np.mean(held) <= 1


def test_other_pictures_are_far_away():
    assert kernel_distance(features(60, 1.0), features(60, seed=1)).low > 0


def test_a_few_pictures_give_nothing():
    assert math.isnan(kernel_distance(features(FEWEST - 1), features(FEWEST - 1, seed=1)).value)


def test_pictures_become_features():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(4, dtype=torch.float32))
    wrapped = lambda x: network(x.float())  # noqa: E731
    assert features_of(np.zeros((40, 8, 8, 3), np.uint8), wrapped, torch.device("cpu")).shape == (40, 4)


def test_what_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("models.metrics.kid.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="torch-fidelity, which is not installed"):
        inception(torch.device("cpu"))
    monkeypatch.setattr("models.metrics.kid.find_spec", lambda name: object())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match="is not there"):
        inception(torch.device("cpu"))


def test_the_distance_does_not_depend_on_how_much_of_the_kernel_is_held_at_a_time(monkeypatch):
    x, y = features(60), features(60, seed=1)
    whole = kernel_distance(x, y)
    monkeypatch.setattr(kid, "_ROWS", 7)
    assert kernel_distance(x, y) == pytest.approx(whole)
