from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from data_utils import TRAIN, Batches, ComputedFeatures, ImageSet, StoredFeatures
from data_utils.augmentation import crop
from data_utils.pixel_store import ResidentImages

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    rng = np.random.default_rng(0)
    count, side = 23, 8
    arrays = {
        "grey": rng.integers(0, 256, (count, side, side), np.uint8),
        "colour": rng.integers(0, 256, (count, side, side, 3), np.uint8),
    }
    for array in arrays.values():
        array.setflags(write=False)  # as they come from the cache and from Ray's object store
    return ImageSet(
        name="noise",
        layout="colour-folder",
        root=".",
        **arrays,
        split=np.zeros(count, np.uint8),
        category=np.full(count, -1, np.int16),
        categories=(),
        files=tuple(f"{i}.png" for i in range(count)),
        fingerprint="",
        refused=(),
        duplicates=(),
        drawn=False,
        grey_error=np.zeros(count, np.float32),
    )


def as_uint8(tensor: torch.Tensor) -> np.ndarray:
    return ((tensor + 1) * 127.5).round().to(torch.uint8).numpy()


def test_validation_shows_all_images_in_order(images):
    batches = Batches(images, np.arange(3, 23), 8, CPU, train=False)
    epoch = list(batches.epoch(0))
    assert [len(batch.index) for batch in epoch] == [8, 8, 4]
    assert (len(batches), batches.images_per_epoch) == (3, 20)
    assert torch.cat([batch.index for batch in epoch]).tolist() == list(range(3, 23))
    grey, colour = (torch.cat([getattr(batch, name) for batch in epoch]) for name in ("grey", "colour"))
    assert (grey.shape, colour.shape) == ((20, 1, 8, 8), (20, 3, 8, 8))
    assert np.array_equal(as_uint8(grey)[:, 0], images.grey[3:])
    assert np.array_equal(as_uint8(colour).transpose(0, 2, 3, 1), images.colour[3:])
    assert all(batch.features is None for batch in epoch)


def test_range_and_type(images):
    batch = next(iter(Batches(images, np.arange(23), 23, CPU, train=False).epoch(0)))
    assert (batch.colour.dtype, batch.index.dtype) == (torch.float32, torch.int64)
    assert batch.colour.is_contiguous()
    assert float(batch.colour.min()) == -1.0
    assert float(batch.colour.max()) == 1.0


def test_training_drops_the_partial_batch_and_repeats_no_image(images):
    batches = Batches(images, images.indices(TRAIN), 5, CPU, train=True)
    shown = torch.cat([batch.index for batch in batches.epoch(0)]).tolist()
    assert (len(batches), batches.images_per_epoch, len(shown)) == (4, 20, 20)
    assert len(set(shown)) == 20


@pytest.mark.parametrize("batch_size", [5, 6, 100])
@pytest.mark.parametrize("augmentation", ["flip", "crop"])
def test_processes_share_the_batches_that_one_alone_would_have(images, augmentation, batch_size):
    def batches(*part):
        kinds = {"train": True, "augmentation": augmentation, "part": part}
        return Batches(images, images.indices(TRAIN), batch_size, CPU, seed=3, **kinds)

    alone, parts = batches(0, 1), [batches(number, 3) for number in range(3)]
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert {len(part) for part in parts} == {len(alone)}
    for whole, *shared in zip(alone.epoch(2), *(part.epoch(2) for part in parts), strict=True):
        assert max(len(one.index) for one in shared) - min(len(one.index) for one in shared) <= 1
        for name in ("index", "grey", "colour"):
            assert torch.equal(getattr(whole, name), torch.cat([getattr(one, name) for one in shared]))


def test_batches_of_fewer_images_than_processes_are_refused(images):
    with pytest.raises(ValueError, match="3 processes cannot share batches of 2 images"):
        Batches(images, np.arange(20), 2, CPU, train=True, part=(0, 3))


def test_an_only_partial_batch_is_kept(images):
    batches = Batches(images, np.arange(3), 16, CPU, train=True)
    assert [len(batch.index) for batch in batches.epoch(0)] == [3]
    assert (len(batches), batches.images_per_epoch) == (1, 3)


def test_each_image_is_shown_plain_or_mirrored_in_both_forms(images):
    mirrored = 0
    for batch in Batches(images, images.indices(TRAIN), 4, CPU, train=True, seed=3).epoch(7):
        for row, index in enumerate(batch.index.tolist()):
            grey, colour = as_uint8(batch.grey[row, 0]), as_uint8(batch.colour[row]).transpose(1, 2, 0)
            flip = not np.array_equal(grey, images.grey[index])
            mirrored += flip
            step = -1 if flip else 1
            assert np.array_equal(grey, images.grey[index][:, ::step])
            assert np.array_equal(colour, images.colour[index][:, ::step])
    assert 4 < mirrored < 16


def test_vectors_belong_to_the_shown_image(images):
    vectors = np.stack([np.arange(23.0), np.arange(23.0) + 100]).astype(np.float32)[..., None].repeat(4, -1)
    vectors.setflags(write=False)
    stored = StoredFeatures(vectors, CPU)
    batches = Batches(images, images.indices(TRAIN), 6, CPU, train=True, features=stored)
    for batch in batches.epoch(1):
        assert batch.features is not None
        assert batch.features.shape == (6, 4)
        for row, index in enumerate(batch.index.tolist()):
            flip = not np.array_equal(as_uint8(batch.grey[row, 0]), images.grey[index])
            assert batch.features[row].tolist() == [index + 100 * flip] * 4
    plain = next(iter(Batches(images, np.arange(23), 23, CPU, train=False, features=stored).epoch(0)))
    assert plain.features is not None
    assert plain.features[:, 0].tolist() == list(range(23))


def test_maps_of_some_images_belong_to_the_shown_image(images):
    positions = np.array([2, 3, 11, 20])
    maps = [
        np.arange(8, dtype=np.float16).reshape(2, 4, 1, 1, 1).repeat(side, 2).repeat(side, 3)
        for side in (4, 2)
    ]
    stored = StoredFeatures(maps, CPU, positions)
    batch = next(Batches(images, positions, 4, CPU, train=True, features=stored).epoch(2))
    large, small = batch.features
    assert (large.shape, small.shape) == ((4, 1, 4, 4), (4, 1, 2, 2))
    assert large.dtype == torch.float32
    for row, index in enumerate(batch.index.tolist()):
        flip = not np.array_equal(as_uint8(batch.grey[row, 0]), images.grey[index])
        expected = positions.tolist().index(index) + 4 * flip
        assert large[row].unique().tolist() == small[row].unique().tolist() == [expected]


@pytest.mark.parametrize("augmentation", ["flip", "crop"])
def test_computed_features_see_the_images_as_they_are_shown(images, augmentation):
    computed = ComputedFeatures(lambda grey: grey.float().mean(dim=(1, 2)))
    batches = Batches(images, np.arange(23), 6, CPU, train=True, features=computed, augmentation=augmentation)
    for batch in batches.epoch(0):
        shown = (batch.grey.mean(dim=(1, 2, 3)) + 1) * 127.5
        torch.testing.assert_close(batch.features, shown, rtol=1e-4, atol=1e-3)


def test_crops_change_training_alone_and_leave_order_and_flips(images):
    def make(augmentation, train=True):
        return Batches(images, np.arange(23), 5, CPU, train=train, seed=4, augmentation=augmentation)

    plain, cropped = list(make("flip").epoch(1)), list(make("crop").epoch(1))
    again = list(make("crop").epoch(1))
    for one, other, same in zip(plain, cropped, again, strict=True):
        assert torch.equal(one.index, other.index)
        assert not torch.equal(one.colour, other.colour)
        assert torch.equal(other.colour, same.colour)
        assert other.colour.shape == one.colour.shape
        assert other.colour.abs().max() <= 1 + 1e-6
    validation = zip(make("flip", train=False), make("crop", train=False), strict=True)
    assert all(torch.equal(one.colour, other.colour) for one, other in validation)
    with pytest.raises(ValueError, match="'rotate'"):
        make("rotate")


def test_a_crop_is_a_window_enlarged():
    ramp = torch.arange(8.0).view(1, 1, 1, 8).expand(1, 1, 8, 8)
    whole = crop(ramp, torch.tensor([[1.0, 0.0, 0.0]]))
    torch.testing.assert_close(whole, ramp)
    right_half = crop(ramp, torch.tensor([[0.5, 0.5, 0.0]]))[0, 0, 0]
    torch.testing.assert_close(right_half[2:6], torch.tensor([4.75, 5.25, 5.75, 6.25]))


def signature(batches: Batches, epoch: int) -> list[float]:
    return [float(value) for batch in batches.epoch(epoch) for value in batch.colour[:, 0, 0, 0]]


def test_order_and_flips_depend_on_seed_and_epoch_alone(images):
    def make(seed: int) -> Batches:
        return Batches(images, images.indices(TRAIN), 5, CPU, train=True, seed=seed)

    first = make(1)
    later = [signature(first, epoch) for epoch in (0, 1, 2)]
    assert signature(make(1), 2) == later[2]
    assert signature(first, 0) == later[0]
    assert later[0] != later[1]
    assert signature(make(2), 0) != later[0]


@pytest.mark.parametrize("train", [True, False])
def test_streamed_batches_equal_resident_ones(images, train):
    stored = StoredFeatures(np.random.default_rng(1).random((2, 23, 3), np.float32), CPU)
    resident, streamed = (
        Batches(images, np.arange(22), 4, CPU, train=train, seed=5, features=stored, streaming=streaming)
        for streaming in (False, True)
    )
    assert (resident.streaming, streamed.streaming) == (False, True)
    for one, other in zip(resident.epoch(3), streamed.epoch(3), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_epoch_may_be_left_early(images):
    batches = Batches(images, np.arange(23), 2, CPU, train=True, streaming=True)
    first = next(batches.epoch(0))
    again = next(batches.epoch(0))
    assert torch.equal(first.colour, again.colour)


def test_images_are_not_copied_on_the_host(images):
    batches = [Batches(images, np.arange(23), 4, CPU, train=train) for train in (True, False)]
    resident = [b._images for b in batches]
    assert resident[0] is resident[1]
    assert resident[0]._colour.data_ptr() == images.colour.ctypes.data


def test_read_only_arrays_raise_no_warning(images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Batches(images, np.arange(4), 2, CPU, train=True, streaming=True)) == 2


@pytest.mark.parametrize(("count", "size"), [(0, 4), (4, 0)])
def test_impossible_batches(images, count, size):
    with pytest.raises(ValueError, match="impossible"):
        Batches(images, np.arange(count), size, CPU, train=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_batches_equal_those_on_the_host(images):
    device = torch.device("cuda")
    host = Batches(images, np.arange(22), 4, CPU, train=True, seed=5)
    for streaming in (False, True):
        batches = Batches(images, np.arange(22), 4, device, train=True, seed=5, streaming=streaming)
        for one, other in zip(host.epoch(3), batches.epoch(3), strict=True):
            for ours, theirs in ((one.colour, other.colour), (one.grey, other.grey)):
                # CUDA multiplies with the reciprocal of what is divided by: the last bit differs.
                torch.testing.assert_close(ours, theirs.cpu(), rtol=0, atol=2e-7)
    assert Batches(images, np.arange(22), 4, device, train=True, max_device_fraction=1e-12).streaming


@pytest.mark.parametrize(("free", "share", "fits"), [(1.1, 1.0, True), (0.9, 1.0, False), (9.0, 0.1, False)])
def test_a_set_is_resident_where_half_of_what_the_process_may_have_holds_it(
    images, monkeypatch, free, share, fits
):
    twice = 2 * (images.grey.nbytes + images.colour.nbytes)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free * twice, 9 * twice))
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda device: share)
    assert ResidentImages.fits(images, torch.device("cuda"), 0.5) is fits
