import json
import math

import pytest
import torch

from models.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from models.errors import ModelError

TENSORS = {"generator/a": torch.arange(6.0).view(2, 3), "step": torch.tensor(3.0)}
STATE = {"epoch": 2, "history": [{"loss": math.nan}, {"loss": 0.1}]}


@pytest.fixture
def folder(tmp_path):
    save_checkpoint(tmp_path / "last", TENSORS, STATE)
    return tmp_path / "last"


def test_what_was_saved_is_loaded(folder):
    tensors, state = load_checkpoint(folder)
    assert set(tensors) == set(TENSORS)
    assert all(torch.equal(tensors[key], TENSORS[key]) for key in TENSORS)
    assert state["epoch"] == 2
    assert math.isnan(state["history"][0]["loss"])


def test_saving_again_replaces_and_leaves_nothing_behind(folder):
    save_checkpoint(folder, {"b": torch.ones(1)}, {"epoch": 3})
    tensors, state = load_checkpoint(folder)
    assert (set(tensors), state) == ({"b"}, {"epoch": 3})
    assert [path.name for path in folder.parent.iterdir()] == ["last"]


def test_a_failed_save_keeps_the_last_good_one(folder):
    with pytest.raises(TypeError):
        save_checkpoint(folder, TENSORS, {"epoch": object()})
    assert load_checkpoint(folder)[1]["epoch"] == 2
    assert [path.name for path in folder.parent.iterdir()] == ["last"]


def test_a_save_killed_between_its_renames_loses_nothing(folder, monkeypatch):
    import models.checkpoint

    real, calls = models.checkpoint.os.rename, []

    def killed(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(models.checkpoint.os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, TENSORS, {"epoch": 3})
    monkeypatch.undo()
    assert load_checkpoint(folder)[1]["epoch"] == 2
    save_checkpoint(folder, TENSORS, {"epoch": 4})
    assert load_checkpoint(folder)[1]["epoch"] == 4


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def remove(path):
    path.unlink()


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", [truncate, flip_last_byte, remove])
def test_damage_is_refused_naming_the_file(folder, name, damage):
    damage(folder / name)
    with pytest.raises(ModelError, match=str(folder / name)):
        load_checkpoint(folder)


def test_an_edited_state_is_refused(folder):
    path = folder / "state.json"
    document = json.loads(path.read_text())
    document["state"]["epoch"] = 7
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="changed"):
        load_checkpoint(folder)


def test_a_pickle_is_never_read(folder):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was executed",))

    torch.save({"a": Bomb()}, folder / "tensors.safetensors")
    with pytest.raises(ModelError):
        load_checkpoint(folder)
    with pytest.raises(ModelError, match="no safetensors file"):
        load_weights(folder / "tensors.safetensors")


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelError, match="missing"):
        load_checkpoint(tmp_path / "none")


def test_weights_travel_with_their_metadata(tmp_path):
    path = tmp_path / "deep" / "unet.safetensors"
    save_weights(path, TENSORS, {"architecture": "unet"})
    tensors, metadata = load_weights(path)
    assert metadata == {"architecture": "unet"}
    assert torch.equal(tensors["generator/a"], TENSORS["generator/a"])
    with pytest.raises(ModelError, match="missing"):
        load_weights(tmp_path / "none.safetensors")
