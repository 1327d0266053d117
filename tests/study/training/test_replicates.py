"""The images of a replicate, and the control of a final."""

from dataclasses import replace

import numpy as np
import pytest

from data_utils.load_dataset import load_dataset
from data_utils.splits import TEST, TRAIN, VALIDATION
from study.search.cells import Stage
from study.settings.schema import StudySettings
from study.training.data import TrialData
from study.training.replicates import UNUSED, images_of, used_images, with_each_test_split
from study.training.trial import Trial
from tests.study.training.test_trial import finish, learning, spec


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return load_dataset("drawn:fruit", 16, name="fruit", cache=tmp_path_factory.mktemp("cache"))


def settings(storage="", **changed) -> StudySettings:
    dataset = {"root": "drawn:fruit", "train_limit": 64, "validation_limit": 20, **changed.pop("dataset", {})}
    return StudySettings(
        datasets={"fruit": dataset},
        model={"image_size": 16, "width": 2, "device": "cpu"},
        budget={"epochs": 3},
        seed=3,
        storage=str(storage) or None,
        **changed,
    )


def used(view):
    return set(np.flatnonzero((view.split == TRAIN) | (view.split == VALIDATION)))


def test_replicates_divide_the_same_training_images_anew(images):
    views = [images_of(images, settings(), replicate) for replicate in (1, 2, 3)]
    assert used(views[0]) == used(views[1]) == used(views[2])
    validations = {tuple(view.indices(VALIDATION)) for view in views}
    assert len(validations) == 3
    for view in views:
        assert len(view.indices(TRAIN)) == 64
        assert len(view.indices(VALIDATION)) == 20
        assert np.array_equal(view.indices(TEST), images.indices(TEST))
        assert view.colour is images.colour


def test_the_first_replicate_has_the_datasets_own_splits(images):
    whole = settings(dataset={"train_limit": None, "validation_limit": None})
    assert images_of(images, whole, 1) is images
    assert np.array_equal(used_images(images, whole), np.arange(len(images)))


def test_another_seed_divides_them_otherwise(images):
    one, other = settings(), settings().model_copy(update={"seed": 4})
    assert not np.array_equal(images_of(images, one, 2).split, images_of(images, other, 2).split)


def test_a_rotating_test_split_covers_different_images_in_every_replicate(images):
    rotating = settings(splits={"test": "rotate"})
    views = [images_of(images, rotating, replicate) for replicate in range(1, 6)]
    tested = np.concatenate([view.indices(TEST) for view in views])
    assert sorted(tested) == list(range(len(images)))
    for replicate, alone in with_each_test_split(images, rotating, 5).items():
        assert np.array_equal(alone.indices(TEST), views[replicate - 1].indices(TEST))
    left_out = np.setdiff1d(np.arange(len(images)), used_images(images, rotating))
    assert all((view.split[left_out] == UNUSED).all() for view in views)


def test_a_control_trains_the_same_start_on_with_l1_alone(images, tmp_path):
    chosen, data = settings(tmp_path), TrialData(images, None)
    finish(Trial(chosen, replace(spec("unet", number=4), replicate=2), data))
    final = replace(spec("cgan", Stage.FINAL, generator_init="unet"), generator_from=4, replicate=2)
    finish(Trial(chosen, final, data))
    control = replace(final, stage=Stage.CONTROL, params={"learning_rate": 2e-4}, controls=0)
    trial = Trial(chosen, control, data)
    assert trial.learner.loss.__name__ == "mean_absolute_error"
    reports, test = trial.advance(), None
    losses = learning(reports[0])
    while trial.epoch < 3:
        more, test = trial.advance()
        losses += learning(more)
    assert "discriminator_loss" not in losses[0]
    assert test is not None
    assert (tmp_path / "trials/fruit/cgan/replicate-2/control-0/test.safetensors").exists()


def test_two_replicates_of_one_trial_see_other_images(images, tmp_path):
    chosen, data = settings(tmp_path), TrialData(images, None)
    first = learning(finish(Trial(chosen, spec(number=1), data)))
    second = learning(finish(Trial(chosen, replace(spec(number=1), replicate=2), data)))
    assert first != second
