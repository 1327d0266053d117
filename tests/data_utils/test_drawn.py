from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from data_utils import ImageSet, load_dataset
from data_utils.drawn.canvas import LUMA, Canvas, colour_of
from data_utils.drawn.fruit import FRUIT, draw_fruit
from data_utils.drawn.scenes import draw_scene


@pytest.fixture(scope="module")
def fruit(tmp_path_factory) -> ImageSet:
    return load_dataset("drawn:fruit", 32, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> ImageSet:
    return load_dataset("drawn:scenes", 32, cache=tmp_path_factory.mktemp("cache"))


def test_both_say_that_they_are_drawn(fruit, scenes):
    for images in (fruit, scenes):
        assert images.drawn
        assert images.layout == "drawn"
        assert np.bincount(images.split).tolist() == [288, 36, 36]
        assert images.duplicates == ()
    assert scenes.categories == ()
    assert (fruit.name, scenes.name) == ("fruit", "scenes")


def test_twenty_categories_on_white(fruit):
    assert len(fruit.categories) == 20
    assert np.bincount(fruit.category).tolist() == [18] * 20
    white = (fruit.colour >= 250).all(-1).mean((1, 2))
    assert np.median(white) > 0.3
    assert white.min() > 0.1
    assert white.max() < 0.95


def test_grey_is_the_luma_of_colour(fruit):
    for index in (0, 100, 359):
        assert np.array_equal(
            fruit.grey[index], np.asarray(Image.fromarray(fruit.colour[index]).convert("L"))
        )


def test_everything_has_colour(fruit, scenes):
    for images in (fruit, scenes):
        spread = np.ptp(images.colour.astype(int), axis=-1)
        assert spread.max((1, 2)).min() > 30


def test_pictures_are_the_same_for_the_same_seed():
    for size in (16, 33):
        one, other = (draw_scene(size, np.random.default_rng(4)) for _ in range(2))
        assert np.array_equal(one, other)
        assert one.shape == (size, size, 3)
        assert one.dtype == np.uint8
    assert not np.array_equal(
        draw_scene(16, np.random.default_rng(4)), draw_scene(16, np.random.default_rng(5))
    )


@pytest.mark.parametrize("kind", FRUIT)
def test_every_fruit_draws_at_extreme_sizes(kind):
    for size in (8, 150):
        assert draw_fruit(size, np.random.default_rng(1), kind).shape == (size, size, 3)


def test_hues_overlap_between_kinds_and_grey_does_not_tell_them(fruit):
    def object_hues(name: str) -> np.ndarray:
        chosen = fruit.colour[fruit.category == fruit.categories.index(name)]
        hues = []
        for picture in chosen:
            hsv = np.asarray(Image.fromarray(picture).convert("HSV")).reshape(-1, 3)
            hues.append(np.median(hsv[hsv[:, 1] > 90, 0]))
        return np.array(hues) * 360 / 255

    apple, chilli = object_hues("Apple"), object_hues("Chilli")
    green = ((apple > 35) & (apple < 140)).mean()
    assert 0.2 < green < 0.9  # red and green (or yellow) ones both occur
    assert ((chilli > 60) & (chilli < 140)).any()
    assert ((chilli < 20) | (chilli > 340)).any()


@pytest.mark.parametrize("hue", [0, 60, 120, 240, 300])
def test_colours_have_the_wanted_luma(hue):
    for luma in (0.2, 0.5, 0.8):
        assert float(colour_of(hue, 0.8, luma) @ LUMA) == pytest.approx(luma, abs=1e-5)


def test_a_solid_is_brighter_on_the_side_of_the_light():
    canvas = Canvas(64, np.random.default_rng(0), np.ones(3))
    ball = canvas.solid((0, 0), 0.6, 1.0)
    canvas.shade(ball, np.array([0.5, 0.5, 0.5]), gloss=0)
    towards = canvas.light[:2] / np.linalg.norm(canvas.light[:2]) * 0.35
    lit, dark = (
        canvas.pixels[tuple(((np.array([p[1], p[0]]) + 1) * 32).astype(int))] for p in (towards, -towards)
    )
    assert lit.mean() > dark.mean() + 0.1
