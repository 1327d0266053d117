"""Contact sheets, the rule by which images are chosen, and swatches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from data_utils.pictures import (
    LARGEST_SIDE,
    SHEET_PIXELS,
    colour_tiles,
    grey_tiles,
    load_sheet,
    save_sheet,
    tile_side,
    tiles,
)
from models.errors import ModelError
from study.reporting import picture_samples
from study.reporting.categories import object_colour
from study.reporting.picture_samples import RANKS, Pictures, distances, ranked
from tests.support.cell_evidence import IMAGES, cell


@pytest.mark.parametrize("count", [1, 5, 9, 12])
def test_a_sheet_gives_back_its_pictures(tmp_path, count):
    pictures = (
        np.zeros((count, 16, 16, 3), np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None, None] * 20
    )
    save_sheet(tmp_path / "sheet.jpg", pictures)
    found = load_sheet(tmp_path / "sheet.jpg", count)
    assert found.shape == pictures.shape
    assert np.abs(found.astype(int) - pictures).max() <= 3


@pytest.mark.parametrize(("count", "size"), [(72, 64), (739, 128), (739, 512), (5000, 256), (10**6, 128)])
def test_a_sheet_stays_small(count, size):
    side = tile_side(count, size)
    assert side <= min(size, LARGEST_SIDE)
    assert side == 8 or side**2 * count <= SHEET_PIXELS


def test_shrinking_averages_and_bears_nan():
    image = torch.full((1, 3, 4, 4), float("nan"))
    image[..., :2] = 1
    image[..., 0, 0] = -1
    shrunk = tiles(image, 2)
    assert shrunk[0, 0, :, 0].tolist() == [round(255 * 3 / 4), 128]
    assert shrunk[0, 1, :, 0].tolist() == [255, 128]
    grey = np.full((2, 8, 8), 100, np.uint8)
    assert np.array_equal(grey_tiles(grey, 8), colour_tiles(np.full((2, 8, 8, 3), 100, np.uint8), 8))


def test_images_are_ranked_by_the_mean_over_architectures_whatever_their_numbers_of_seeds():
    one, other = cell(seeds=1, name="unet"), cell(seeds=3, name="cgan")
    for quantities in (*one.evaluations, *other.evaluations):
        quantities["ciede2000"] = np.zeros(IMAGES)
    one.evaluations[0]["ciede2000"][[3, 7]] = [6.0, -6.0]
    for quantities in other.evaluations:
        quantities["ciede2000"][[3, 7]] = [-5.0, 5.0]
    order = ranked([one, other])
    assert (order[0], order[-1]) == (7, 3)
    assert list(RANKS.values()) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_swatch_is_the_objects_colour_without_the_white_ground():
    truth = np.full((2, 4, 4, 3), 255, np.uint8)
    truth[:, :2] = (10, 20, 30)
    predicted = np.full_like(truth, 200)
    predicted[:, :2] = (90, 80, 70)
    assert object_colour(truth, truth) == (10, 20, 30)
    assert object_colour(predicted, truth) == (90, 80, 70)
    assert object_colour(predicted, np.full_like(truth, 255)) is None


def test_distances_are_given_where_the_network_is_there_and_explained_elsewhere(monkeypatch):
    truth = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    errors = {"unet": np.zeros(30), "cgan": np.full(30, np.nan)}
    shown = Pictures(truth, truth, {"unet": 255 - truth, "cgan": truth}, errors)
    monkeypatch.setattr(picture_samples, "inception", lambda device: lambda x: x.flatten(1).float() / 255)
    found, why = distances({"fruit": shown, "scenes": None})
    assert why == ""
    assert list(found) == ["fruit"]
    assert list(found["fruit"]) == ["unet"]

    def missing(device):
        raise ModelError("KID was not measured: no network.")

    monkeypatch.setattr(picture_samples, "inception", missing)
    assert distances({"fruit": shown}) == ({}, "KID was not measured: no network.")
