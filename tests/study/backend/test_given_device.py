"""A trial computes on the device that Ray gave it, and what is odd about that is told."""

import pytest
import ray
import torch

from study.backend.ray_trainable import on_given_device
from tests.support.simulated import study_settings


@pytest.mark.parametrize(
    ("device", "given", "seen", "used", "told"),
    [
        ("auto", [0], True, "auto", ""),
        ("auto", [], False, "auto", ""),
        ("auto", [0], False, "auto", "sees none there: they train on its CPUs. Install torch for CUDA"),
        ("auto", [], True, "cpu", "ask for no GPU"),
        ("cuda", [], True, "cuda", ""),
        ("cpu", [], True, "cpu", ""),
    ],
    ids=["a GPU", "none", "torch without CUDA", "a GPU of others", "by name", "the CPU by name"],
)
def test_auto_is_a_gpu_only_where_ray_gave_one(monkeypatch, device, given, seen, used, told):
    monkeypatch.setattr(ray, "get_gpu_ids", lambda: given)
    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "10.0.0.3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen)
    settings, note = on_given_device(study_settings(model={"device": device}))
    assert settings.model.device == used
    assert told in note
    assert bool(note) == bool(told)
    assert not note or "10.0.0.3" in note
