import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import ModelError
from models.vgg import VGG16Features, image_vectors
from models.vgg_weights import (
    HUB_FILE,
    PAPER_KERNEL,
    describe_weights,
    file_sha256,
    load_vgg16,
    weights_fingerprint,
)
from tests.models.test_vgg import greys
from tests.support.synthetic import CPU


def test_random_weights_are_always_the_same_and_say_that_they_are_random():
    torch.manual_seed(1)
    first = load_vgg16("random").state_dict()
    torch.manual_seed(2)
    second = load_vgg16("random").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert "random" in describe_weights("random")
    assert weights_fingerprint("random") == weights_fingerprint("random")


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


def test_auto_reads_the_hubs_file(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match=f"{HUB_FILE}.*random"):
        load_vgg16("auto")
    (tmp_path / "checkpoints").mkdir()
    weights = load_vgg16("random").state_dict()
    torch.save(weights, tmp_path / "checkpoints" / HUB_FILE)
    assert torch.equal(load_vgg16("auto").state_dict()["28.bias"], weights["28.bias"])


@pytest.mark.parametrize("bits", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", [HUB_FILE.replace(".pth", ".safetensors"), "mine.safetensors"])
def test_the_scaling_is_known_by_the_weights_and_not_by_the_files_name(tmp_path, name, bits):
    weights = load_vgg16("random").state_dict()
    save_file({key: value.to(bits) for key, value in weights.items()}, tmp_path / name)
    torch_scaled = VGG16Features(str(tmp_path / name))
    assert torch_scaled.std.flatten().tolist() == pytest.approx([0.229, 0.224, 0.225])
    weights["0.weight"][0, 1] = torch.tensor(PAPER_KERNEL).view(3, 3)
    save_file({key: value.to(bits) for key, value in weights.items()}, tmp_path / name)
    papers = VGG16Features(str(tmp_path / name))
    assert papers.std.flatten().tolist() == pytest.approx([1 / 255] * 3)
    assert papers.mean.flatten().tolist() == pytest.approx([0.48235, 0.45882, 0.40784])


def test_torchvisions_file_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = tmp_path / "renamed.pth"
    torch.save(load_vgg16("random").state_dict(), path)
    monkeypatch.setattr("models.vgg_weights.HUB_DIGEST", file_sha256(path)[:8])
    assert VGG16Features(str(path)).std.flatten().tolist() == pytest.approx([1 / 255] * 3)


def test_the_papers_kernel_is_that_of_the_real_file_at_its_own_scale(vgg_file):
    """The file has the scale of 0…255 moved into its first layer: green's is 255 · 0.224."""
    kernel = load_vgg16(str(vgg_file)).state_dict()["0.weight"][0, 1].flatten()
    torch.testing.assert_close(kernel / (255 * 0.224), torch.tensor(PAPER_KERNEL), rtol=0, atol=1e-3)
    assert VGG16Features(str(vgg_file)).std.flatten().tolist() == pytest.approx([0.229, 0.224, 0.225])


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
