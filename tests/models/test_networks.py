import pytest
import torch

from models.architectures import architecture, known, seeded_build
from models.discriminator import Discriminator, PatchDiscriminator
from models.koalarization import Koalarization
from models.settings import ModelSettings
from models.unet import UNet
from models.vggunet import VGGUNet
from tests.support.synthetic import CPU, features_for, images


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_unet_has_the_papers_size_at_width_64():
    with torch.device("meta"):
        assert round(parameters(UNet(64)) / 1e6, 1) == 31.0


def test_width_scales_every_network():
    with torch.device("meta"):
        for network in (UNet, Koalarization, Discriminator, PatchDiscriminator, VGGUNet):
            sizes = [parameters(network(width)) for width in (1, 4, 16, 64)]
            assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("width", [1, 3, 8])
@pytest.mark.parametrize("sides", [(16, 16), (32, 48)])
@pytest.mark.parametrize("name", ["koalarization", "unet", "cgan", "vggunet"])
def test_colour_has_the_sides_of_grey_and_its_range(name, sides, width):
    one = architecture(name)
    learner = seeded_build(one, ModelSettings(width=width), one.textbook, CPU, 0)
    colour = learner.predict(torch.rand(2, 1, *sides) * 2 - 1, features_for(name, 2, sides))
    assert colour.shape == (2, 3, *sides)
    assert colour.dtype == torch.float32
    assert colour.abs().max() <= 1


@pytest.mark.parametrize("name", ["koalarization", "unet", "cgan"])
def test_the_stated_stride_is_the_smallest_that_works(name, build):
    stride = architecture(name).stride
    learner = build(name)
    for side in (stride, 3 * stride):
        assert learner.predict(torch.zeros(1, 1, side, side), torch.zeros(1, 512)).shape[-1] == side
    half = 3 * stride // 2
    try:
        sides = learner.predict(torch.zeros(1, 1, half, half), torch.zeros(1, 512)).shape[-2:]
    except RuntimeError:
        return
    assert tuple(sides) != (half, half)


def test_koalarization_uses_grey_and_vector():
    torch.manual_seed(0)
    network = Koalarization(8)
    grey, vector = torch.rand(1, 1, 16, 16), torch.rand(1, 512)
    base = network(grey, vector)
    assert not torch.equal(base, network(grey + 0.5, vector))
    assert not torch.equal(base, network(grey, vector + 0.5))


@pytest.mark.parametrize("width", [4, 8])
def test_a_narrow_koalarization_is_never_born_dead(width):
    batch = images(size=32)
    for seed in range(20):
        torch.manual_seed(seed)
        network = Koalarization(width)
        first = next(network.parameters())
        (gradient,) = torch.autograd.grad(network(batch.grey, batch.features).sum(), first)
        assert gradient.abs().max() > 0


def test_discriminator_gives_one_logit_per_pair():
    batch = images(count=3, size=32)
    network = Discriminator(4)
    logits = network(batch.grey, batch.colour)
    assert logits.shape == (3,)
    assert not torch.equal(logits, network(batch.grey, -batch.colour))
    assert not torch.equal(logits, network(-batch.grey, batch.colour))


def test_each_logit_of_the_patch_discriminator_sees_a_patch_of_70_pixels():
    torch.manual_seed(0)
    network = PatchDiscriminator(4).eval()
    grey = torch.rand(1, 1, 128, 128, requires_grad=True)
    logits = network(grey, torch.rand(1, 3, 128, 128))
    assert logits.shape == (1, 14, 14)
    (gradient,) = torch.autograd.grad(logits[0, 7, 7], grey)
    seen = gradient[0, 0].abs().sum(dim=0) > 0
    assert seen.sum() == 70


@pytest.mark.parametrize("name", known())
def test_initial_weights_come_from_the_seed_alone(name, build):
    first = build(name, seed=1).tensors()
    torch.rand(7)
    again = build(name, seed=1).tensors()
    other = build(name, seed=2).tensors()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_building_leaves_the_global_generator_alone(build):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    build("unet")
    assert torch.equal(torch.rand(1), expected)
