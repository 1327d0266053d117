"""Pictures of other programs, matched with the test images by name."""

import numpy as np
import pytest
from PIL import Image

from data_utils.load_dataset import ImageSet, load_dataset
from data_utils.splits import TEST
from study.training.contestants import score_contestant


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return load_dataset("drawn:fruit", 32, name="fruit")


def colours_of(images: ImageSet, folder, positions, error: int = 0):
    """Pictures in the truth's colours, as much too dark as asked."""
    for position in positions:
        path = folder / f"{images.files[position].rsplit('.', 1)[0]}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = images.colour[position].astype(int) - error
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def test_the_truth_itself_has_no_error(images, tmp_path):
    positions = images.indices(TEST)[:6]
    colours_of(images, tmp_path / "fruit", positions)
    entry = score_contestant("other", tmp_path, images, positions)
    assert entry.remark == ""
    assert entry.quantities["index"].tolist() == positions.tolist()
    assert entry.quantities["ciede2000"].max() == pytest.approx(0, abs=1e-4)


def test_missing_and_mismatched_pictures_are_named_and_left_out(images, tmp_path):
    positions = images.indices(TEST)[:6]
    colours_of(images, tmp_path, positions[1:], error=40)
    wide = next(tmp_path.rglob(f"{images.files[positions[2]].rsplit('/', 1)[-1].rsplit('.', 1)[0]}.png"))
    wide.write_bytes(b"no picture")
    entry = score_contestant("other", tmp_path, images, positions)
    assert entry.quantities["index"].tolist() == [*positions[1:2], *positions[3:]]
    assert entry.quantities["ciede2000"].min() > 1
    assert f"no picture of 1 of 6 test images of fruit ({images.files[positions[0]]})" in entry.remark
    assert "1 that are no picture" in entry.remark
    assert entry.remark.endswith("it is scored on the others.")


def test_a_folder_without_any_picture_gives_nothing(images, tmp_path):
    entry = score_contestant("other", tmp_path, images, images.indices(TEST))
    assert entry.quantities == {}
    assert "other has no picture of" in entry.remark
