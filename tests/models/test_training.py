import math

import pytest
import torch

from models.architectures import known
from models.checkpoint import load_checkpoint, save_checkpoint
from models.errors import ModelError
from models.settings import Recipe
from models.training import Trainer
from tests.support.synthetic import Batches, images


def errors(prediction, batch):
    return {"error": (prediction - batch.colour).abs().mean(dim=(1, 2, 3))}


def means(values):
    return {name: value.mean().item() for name, value in values.items()}


def trainer(learner, train=None, validation=None, name="koalarization", epochs=None):
    held_out = [images(name, seed=-1), images(name, count=2, seed=-2)] if validation is None else validation
    return Trainer(learner, train or Batches(name), held_out, errors, means, epochs)


def without_time(history):
    return [{key: value for key, value in row.items() if "seconds" not in key} for row in history]


RECIPES = {
    "the original": ("rgb", Recipe()),
    "averaged": ("luma_kept", Recipe("l1", "constant", ema=0.9)),
    "one cycle": ("luma_kept", Recipe("l1", "onecycle", ema=0.9, weight_decay=0.1)),
}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", known())
def test_an_interrupted_training_equals_an_uninterrupted_one(name, recipe, build, tmp_path):
    target, steps = RECIPES[recipe]

    def start(seed):
        return trainer(build(name, seed=seed, target=target, recipe=steps), name=name, epochs=4)

    straight = start(1)
    for _ in range(4):
        straight.step()

    interrupted = start(1)
    for _ in range(2):
        interrupted.step()
    save_checkpoint(tmp_path / "last", interrupted.learner.tensors(), interrupted.state())

    tensors, state = load_checkpoint(tmp_path / "last")
    resumed = start(99)
    resumed.restore(state, tensors)
    for _ in range(2):
        resumed.step()

    assert resumed.epoch == 4
    assert without_time(resumed.history) == without_time(straight.history)
    ours, theirs = resumed.learner.tensors(), straight.learner.tensors()
    assert set(ours) == set(theirs)
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


def rates(schedule, build, epochs, past=0):
    """The generator's learning rate in each step."""
    one = trainer(build("unet", learning_rate=1e-3, recipe=Recipe(schedule=schedule)), epochs=epochs)
    one.epoch = past
    one.restore(one.state(), one.learner.tensors())
    seen = []
    real = one.learner.train_step

    def watched(batch):
        seen.append(one.learner.optimizers["generator"].param_groups[0]["lr"])
        return real(batch)

    one.learner.train_step = watched
    while one.epoch < epochs:
        one.step()
    return seen


def test_the_learning_rate_follows_its_schedule(build):
    assert rates("constant", build, 4) == [1e-3] * 12
    cosine = rates("cosine", build, 4)
    assert cosine == sorted(cosine, reverse=True)
    assert (cosine[0], cosine[-1]) == (1e-3, pytest.approx(0, abs=1e-9))
    one_cycle = rates("onecycle", build, 7)
    top = one_cycle.index(max(one_cycle))
    assert one_cycle[0] == pytest.approx(1e-3 / 25)
    assert max(one_cycle) == pytest.approx(1e-3)
    assert top == 6  # 30 % of 21 steps
    assert one_cycle[: top + 1] == sorted(one_cycle[: top + 1])
    assert one_cycle[-1] == pytest.approx(1e-3 / 250_000)


def test_a_training_that_goes_on_for_longer_follows_the_longer_schedule(build):
    assert rates("cosine", build, 6, past=4) == rates("cosine", build, 6)[12:]


def test_a_schedule_without_a_length_is_refused(build):
    with pytest.raises(ModelError, match="cosine"):
        trainer(build("unet", recipe=Recipe(schedule="cosine")))
    with pytest.raises(ModelError, match=r"'step'.*onecycle"):
        trainer(build("unet", recipe=Recipe(schedule="step")), epochs=3)


@pytest.mark.parametrize("name", known())
def test_the_averaged_weights_are_validated_and_published(name, build):
    one = trainer(build(name, recipe=Recipe(ema=0.5)), name=name)
    one.step()
    plain = trainer(build(name), name=name)
    plain.step()
    averaged, last = one.learner.generator_tensors(), plain.learner.generator_tensors()
    assert set(averaged) == set(last)
    now = one.learner.generator.state_dict()
    assert all(torch.equal(now[key], last[key]) for key in last)
    assert any(not torch.equal(averaged[key], last[key]) for key in last)
    assert one.history[-1]["error"] != plain.history[-1]["error"]
    fresh = build(name, seed=5)
    fresh.load_generator(averaged)
    batch = images(name, seed=7)
    assert torch.equal(
        fresh.predict(batch.grey, batch.features), one.learner.predict(batch.grey, batch.features)
    )


def test_the_moving_average_by_hand(build):
    learner = build("unet", recipe=Recipe(ema=0.5))
    key = "level1.0.weight"
    mean = None
    for step in range(4):
        learner.train_step(images(seed=step))
        learner.update_average()
        now = learner.generator.state_dict()[key].clone()
        decay = min(0.5, (1 + step) / (4 + step))
        mean = now if mean is None else decay * mean + (1 - decay) * now
    torch.testing.assert_close(learner.generator_tensors()[key], mean)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_an_impossible_average_is_refused(decay, build):
    with pytest.raises(ModelError, match=str(decay)):
        build("unet", recipe=Recipe(ema=decay))
