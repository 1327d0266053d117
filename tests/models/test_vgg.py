import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.vgg import (
    MAP_LAYERS,
    VGG16Maps,
    image_maps,
    image_vectors,
    maps_bytes,
    vgg16_describer,
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


@pytest.mark.parametrize("kind", ["vector", "maps"])
def test_the_network_is_frozen(kind):
    network = vgg16_describer(kind, "random")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_maps_are_what_torchvisions_layers_give_at_unit_scale():
    grey = torch.from_numpy(greys(2, 32, 48))
    network = VGG16Maps("random")
    maps = network(grey)
    x = (grey[:, None].float() / 255 - network.mean) / network.std
    for level, (place, channels) in enumerate(MAP_LAYERS.items()):
        expected = network.features[: place + 1](x)
        expected = expected / expected.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        torch.testing.assert_close(maps[level], expected, rtol=1e-4, atol=1e-5)
        assert maps[level].shape == (2, channels, 16 >> level, 24 >> level)


def test_maps_of_an_image_do_not_depend_on_its_companions_or_its_contrast():
    grey = greys(3)
    together = image_maps(grey, "random", CPU, batch_size=3)
    alone = image_maps(grey[1:2], "random", CPU)
    for several, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(several[:, 1:2], one, rtol=2e-3, atol=1e-3)
    black = image_maps(np.zeros((1, 16, 16), np.uint8), "random", CPU)
    assert all(np.isfinite(one).all() for one in black)


def test_stored_maps_are_halves_plain_and_mirrored():
    grey = greys(3, 32, 32)
    maps = image_maps(grey, "random", CPU, batch_size=2)
    assert [one.shape for one in maps] == [
        (2, 3, 32 >> n, 32 >> n, c) for n, c in enumerate(MAP_LAYERS.values(), 1)
    ]
    assert all(one.dtype == np.float16 for one in maps)
    assert sum(one.nbytes for one in maps) == maps_bytes(3, 32)
    assert maps_bytes(1, 64) == 2 * 237_568 * 2
    mirrored = image_maps(grey[:, :, ::-1], "random", CPU)
    for one, other in zip(maps, mirrored, strict=True):
        np.testing.assert_allclose(one[0], other[1], rtol=2e-3, atol=1e-3)


def test_unknown_features_are_refused():
    with pytest.raises(ModelError, match="'edges'"):
        vgg16_describer("edges", "random")


def test_only_the_images_in_question_are_described():
    grey, chosen = greys(), np.array([2, 0])
    vectors = image_vectors(grey, "random", CPU, positions=chosen)
    np.testing.assert_array_equal(vectors, image_vectors(grey[chosen], "random", CPU))
    for some, whole in zip(
        image_maps(grey, "random", CPU, positions=chosen),
        image_maps(grey[chosen], "random", CPU),
        strict=True,
    ):
        np.testing.assert_array_equal(some, whole)
