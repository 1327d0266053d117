"""VGG16's features of a study's images: stored where memory allows, computed elsewhere, the same either way."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from data_utils.load_dataset import load_dataset
from data_utils.mapped_set import open_arrays
from data_utils.splits import TEST, TRAIN, VALIDATION
from models.checkpoint import save_weights
from models.vgg import VGG16Maps, maps_bytes, vgg16_describer
from study.search.cells import Stage
from study.settings.schema import StudySettings
from study.storage.paths import WEIGHTS, start_path
from study.storage.storage import Storage
from study.training import features
from study.training.data import TrialData, prepare
from study.training.features import opened_features, store_features
from study.training.trial import Trial
from tests.study.training.test_trial import EPOCHS, finish, learning, spec
from tests.support.synthetic import CPU


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def settings(tmp_path, **changed) -> StudySettings:
    content = {
        "datasets": {"fruit": {"root": "drawn:fruit", "train_limit": 20, "validation_limit": 8}},
        "architectures": ["koalarization", "vggunet", "unet"],
        "model": {"image_size": 16, "width": 2, "device": "cpu", "vgg16": "random"},
        "budget": {"epochs": EPOCHS},
        "training": {"target": "luma_kept", "loss": "l1", "ema": 0.9, "schedule": "onecycle"},
        "storage": str(tmp_path / "storage"),
    }
    return StudySettings(**{**content, **changed})


def prepared(chosen):
    said = []
    return prepare(chosen, said.append), said


def trial_data(found, kind):
    entry = found.features["fruit"][kind]
    arrays = None if entry is None else open_arrays(entry)
    return TrialData(
        found.images["fruit"], *opened_features(arrays, lambda: vgg16_describer(kind, "random"), CPU)
    )


def test_maps_are_stored_of_the_images_that_are_used_and_no_others(tmp_path):
    found, said = prepared(settings(tmp_path))
    arrays = open_arrays(found.features["fruit"]["maps"])
    images = found.images["fruit"]
    assert {TRAIN, VALIDATION} == set(images.split[arrays["positions"]])
    assert len(arrays["positions"]) < len(images) - (images.split == TEST).sum()
    assert isinstance(arrays["level0"].base, np.memmap)
    assert any("maps of" in one for one in said)


def test_stored_maps_are_what_vgg16_says_of_the_images_as_shown(tmp_path):
    found, _ = prepared(settings(tmp_path))
    data = trial_data(found, "maps")
    images = data.images
    index = open_arrays(found.features["fruit"]["maps"])["positions"][3:5]
    grey = torch.from_numpy(images.grey[index].copy())
    grey[1] = grey[1].flip(-1)
    stored = data.features(grey, torch.from_numpy(index), torch.tensor([False, True]))
    for one, other in zip(stored, VGG16Maps("random")(grey), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["vggunet", "koalarization"])
def test_a_trial_with_features_goes_on_as_if_it_had_not_died_and_is_tested(tmp_path, name):
    chosen = settings(tmp_path)
    found, _ = prepared(chosen)
    data = trial_data(found, "maps" if name == "vggunet" else "vector")
    undisturbed = finish(Trial(chosen, spec(name, number=1), data))
    Trial(chosen, spec(name, number=2), data).advance()
    assert learning(finish(Trial(chosen, spec(name, number=2), data))) == learning(undisturbed)
    final = Trial(chosen, spec(name, stage=Stage.FINAL), data)
    final.save_picture()
    test = [final.advance()[1] for _ in range(EPOCHS)][-1]
    assert 0 < test["ciede2000"] < 100


def test_cropped_images_have_features_of_their_own(tmp_path):
    chosen = settings(tmp_path, training={"augmentation": "crop"})
    found, said = prepared(chosen)
    assert found.features["fruit"] == {"vector": None, "maps": None}
    assert any("cropped at random" in one for one in said)
    assert finish(Trial(chosen, spec("vggunet"), trial_data(found, "maps")))[-1]["epoch"] == EPOCHS


def test_maps_that_would_take_too_much_memory_are_computed_of_every_batch(tmp_path, monkeypatch):
    chosen = settings(tmp_path)
    stored, _ = prepared(chosen)
    expected = finish(Trial(chosen, spec("vggunet", number=1), trial_data(stored, "maps")))
    monkeypatch.setattr(features, "_memory", lambda: maps_bytes(1, 16))
    found, said = prepared(chosen)
    assert found.features["fruit"]["maps"] is None
    assert found.features["fruit"]["vector"] is not None
    assert any("more than a quarter of this machine's memory" in one for one in said)
    anew = finish(Trial(chosen, spec("vggunet", number=2), trial_data(found, "maps")))
    assert anew[-1]["ciede2000"] == pytest.approx(expected[-1]["ciede2000"], abs=0.05)


def test_maps_that_no_trial_could_take_to_its_gpu_are_not_computed_beforehand(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "choose_device", lambda _: torch.device("cuda"))
    card = SimpleNamespace(total_memory=maps_bytes(100, 16))  # 28 images fit into half of it, not an eighth
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    chosen, said = settings(tmp_path, resources={"gpus_per_trial": 0.25}), []
    assert store_features(chosen, load_dataset("drawn:fruit", 16), "maps", np.arange(28), said.append) is None
    assert "more than half of what a trial may have on this machine's GPU" in said[0]
    monkeypatch.setattr(features, "cached_arrays", lambda *_: {})
    on_cpus = settings(tmp_path, resources={"gpus_per_trial": 0})
    assert store_features(on_cpus, load_dataset("drawn:fruit", 16), "maps", np.arange(28), said.append)


def test_trials_start_from_the_weights_that_the_storage_holds_for_their_architecture(tmp_path):
    chosen = settings(tmp_path, model={"image_size": 16, "width": 2, "vgg16": "random", "start_from": "x"})
    data = TrialData(load_dataset("drawn:fruit", 16))
    earlier = Trial(chosen, spec(number=1), data)
    save_weights(tmp_path / WEIGHTS, earlier.learner.generator_tensors(), {})
    Storage(chosen.storage).put_file(start_path("unet"), tmp_path / WEIGHTS)
    grey = torch.rand(2, 1, 16, 16) * 2 - 1
    begun = Trial(chosen, replace(spec(number=2), seed=99), data)
    assert torch.equal(begun.learner.predict(grey), earlier.learner.predict(grey))
