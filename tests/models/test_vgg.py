import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import ModelError
from models.vgg import (
    HUB_FILE,
    VGG16Features,
    describe_weights,
    image_vectors,
    load_vgg16,
    weights_fingerprint,
)
from tests.support.synthetic import CPU


def greys(count=3, height=32, width=32):
    return np.random.default_rng(0).integers(0, 256, (count, height, width), dtype=np.uint8)


def test_vectors_of_images_and_of_their_mirror_images():
    grey = greys()
    vectors = image_vectors(grey, "random", CPU, batch_size=2)
    assert vectors.shape == (2, 3, 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.sqrt((vectors**2).mean(axis=2)), 1, rtol=1e-4)
    mirrored = image_vectors(grey[:, :, ::-1], "random", CPU)
    np.testing.assert_allclose(mirrored[0], vectors[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mirrored[1], vectors[0], rtol=1e-4, atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1])


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 48), (48, 32)])
def test_any_image_size_gives_512_values(height, width):
    assert image_vectors(greys(1, height, width), "random", CPU).shape == (2, 1, 512)


def test_random_weights_are_always_the_same_and_say_that_they_are_random():
    torch.manual_seed(1)
    first = load_vgg16("random").state_dict()
    torch.manual_seed(2)
    second = load_vgg16("random").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert "random" in describe_weights("random")
    assert weights_fingerprint("random") == weights_fingerprint("random")


def test_the_network_is_frozen():
    network = VGG16Features("random")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_real_file(vgg_file):
    network = VGG16Features(str(vgg_file))
    stored = load_file(vgg_file)
    assert torch.equal(network.features.state_dict()["28.bias"], stored["28.bias"].float())
    vectors = image_vectors(greys(2), str(vgg_file), CPU)
    assert vectors.min() >= 0
    assert vectors.std() > 0
    assert vgg_file.name in describe_weights(str(vgg_file))
    assert weights_fingerprint(str(vgg_file)) != weights_fingerprint("random")


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_local_files_in_torchvisions_layout_are_read(tmp_path, kind):
    weights = load_vgg16("random").state_dict()
    path = tmp_path / f"own.{kind}"
    if kind == "safetensors":
        save_file({f"features.{key}": value.half() for key, value in weights.items()}, path)
    else:
        torch.save(weights, path)
    loaded = load_vgg16(str(path)).state_dict()
    for key, value in weights.items():
        torch.testing.assert_close(loaded[key], value, rtol=1e-3, atol=1e-6)


def test_auto_reads_the_hubs_file_with_its_own_normalisation(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match=f"{HUB_FILE}.*random"):
        load_vgg16("auto")
    (tmp_path / "checkpoints").mkdir()
    torch.save(load_vgg16("random").state_dict(), tmp_path / "checkpoints" / HUB_FILE)
    network = VGG16Features("auto")
    assert network.std.flatten().tolist() == pytest.approx([1 / 255] * 3)
    assert VGG16Features("random").std.flatten().tolist() == pytest.approx([0.229, 0.224, 0.225])


def test_missing_and_wrong_files_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"none\.safetensors does not exist"):
        load_vgg16(str(tmp_path / "none.safetensors"))
    with pytest.raises(ModelError, match="does not exist"):
        describe_weights(str(tmp_path / "none.pth"))
    save_file({"0.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"other\.safetensors.*0\.weight"):
        load_vgg16(str(tmp_path / "other.safetensors"))
    for name in ("text.pth", "text.safetensors"):
        (tmp_path / name).write_text("no weights")
        with pytest.raises(ModelError, match=name):
            load_vgg16(str(tmp_path / name))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match=r"list\.pth"):
        load_vgg16(str(tmp_path / "list.pth"))
