import math

import pytest
import torch

from models.architectures import known
from models.checkpoint import load_checkpoint, save_checkpoint
from models.errors import ModelError
from models.training import Trainer
from tests.support.synthetic import Batches, images


def errors(prediction, truth):
    return {"error": (prediction - truth).abs().mean(dim=(1, 2, 3))}


def means(values):
    return {name: value.mean().item() for name, value in values.items()}


def trainer(learner, train=None, validation=None):
    held_out = [images(seed=-1), images(count=2, seed=-2)] if validation is None else validation
    return Trainer(learner, train or Batches(), held_out, errors, means)


def without_time(history):
    return [{key: value for key, value in row.items() if "seconds" not in key} for row in history]


@pytest.mark.parametrize("name", known())
def test_an_interrupted_training_equals_an_uninterrupted_one(name, build, tmp_path):
    straight = trainer(build(name, seed=1))
    for _ in range(4):
        straight.step()

    interrupted = trainer(build(name, seed=1))
    for _ in range(2):
        interrupted.step()
    save_checkpoint(tmp_path / "last", interrupted.learner.tensors(), interrupted.state())

    tensors, state = load_checkpoint(tmp_path / "last")
    resumed = trainer(build(name, seed=99))
    resumed.restore(state, tensors)
    for _ in range(2):
        resumed.step()

    assert resumed.epoch == 4
    assert without_time(resumed.history) == without_time(straight.history)
    ours, theirs = resumed.learner.tensors(), straight.learner.tensors()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_step_reports_epoch_losses_metrics_and_seconds(build):
    result = trainer(build("unet")).step()
    assert set(result) == {"epoch", "loss", "nonfinite_steps", "error", "train_seconds", "validation_seconds"}
    assert result["epoch"] == 1
    assert result["nonfinite_steps"] == 0
    assert math.isfinite(result["loss"])


def test_losses_are_the_means_over_the_steps(build):
    learner = build("unet")
    steps = [learner.train_step(batch)["loss"].item() for batch in Batches().epoch(0)]
    assert trainer(build("unet")).train_epoch()["loss"] == pytest.approx(sum(steps) / len(steps))


def test_metrics_are_summarised_over_images_not_batches(build):
    one = trainer(build("unet"))
    predictions = [one.learner.predict(batch.grey) for batch in one.validation_batches]
    truths = [batch.colour for batch in one.validation_batches]
    expected = (torch.cat(predictions) - torch.cat(truths)).abs().mean().item()
    assert one.validate()["error"] == pytest.approx(expected)


def test_divergence_is_counted_and_left_to_the_caller(build):
    class Broken:
        def epoch(self, number):
            yield images()
            bad = images()
            bad.colour[0, 0, 0, 0] = math.nan
            yield bad
            yield images()

    result = trainer(build("unet"), train=Broken()).step()
    assert math.isnan(result["loss"])
    assert result["nonfinite_steps"] == 2


def test_no_batches_are_refused(build):
    class Empty:
        def epoch(self, number):
            return iter(())

    with pytest.raises(ModelError, match="batch_size"):
        trainer(build("unet"), train=Empty()).step()
    with pytest.raises(ModelError, match="validation image"):
        trainer(build("unet"), validation=[]).step()
