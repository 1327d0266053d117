"""A step and an epoch read no value of the device, so that a GPU never waits for the host within them."""

import pytest
import torch
import torch.distributed as dist
from torch.testing._internal.distributed.fake_pg import FakeStore

from data_utils.batches import Batches as OurBatches
from data_utils.load_dataset import load_dataset
from data_utils.splits import TRAIN
from models import adversarial, colour_bins, regression
from models.architectures import architecture, known, seeded_build
from models.data_parallel import train_together
from models.settings import ModelSettings, Recipe
from models.training import Trainer
from models.vggunet import LOSSES
from tests.support.no_reads import DEVICE, HostReadError, NoReads
from tests.support.synthetic import Batches, Images, images

RECIPES = {
    "the original": ("rgb", Recipe()),
    "averaged": ("luma_kept", Recipe("l1", ema=0.9, weight_decay=0.1)),
    "one cycle": ("luma_kept", Recipe("l1", "onecycle", ema=0.9)),
}


@pytest.fixture(autouse=True)
def plain_adam(monkeypatch):
    """The fused kernel exists on real devices alone; it reads nothing either."""
    for module in (regression, adversarial):
        monkeypatch.setattr(module, "adam", plain)


def plain(parameters, learning_rate, beta1, weight_decay=0.0):
    return torch.optim.AdamW(parameters, lr=learning_rate, betas=(beta1, 0.999), weight_decay=weight_decay)


class Watched:
    """Batches on the device from whose first to whose last nothing may be read."""

    def __init__(self, batches):
        self._batches = batches

    def __len__(self):
        return len(self._batches)

    def epoch(self, number):
        with NoReads():
            yield from map(on_device, self._batches.epoch(number))


def on_device(batch):
    features = batch.features
    if isinstance(features, tuple):
        features = tuple(one.to(DEVICE) for one in features)
    elif features is not None:
        features = features.to(DEVICE)
    return Images(batch.grey.to(DEVICE), batch.colour.to(DEVICE), features)


def learner_of(name, target="rgb", recipe=None, **changed):
    one = architecture(name)
    settings = ModelSettings(width=4, target=target, recipe=recipe or Recipe())
    return seeded_build(one, settings, {**one.textbook, **changed}, DEVICE, 0)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", known())
def test_an_epoch_waits_for_the_device_at_its_end_alone(name, recipe):
    trainer = Trainer(learner_of(name, *RECIPES[recipe]), Watched(Batches(name)), [], None, None, epochs=3)
    with pytest.raises(NotImplementedError, match="no data"):  # the losses, which are read at the end
        trainer.train_epoch()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_of_the_unet_on_vgg16_reads(loss, monkeypatch):
    table = colour_bins._table(torch.device("cpu"))  # made once for each device, before the steps
    monkeypatch.setattr(colour_bins, "_table", lambda device: tuple(one.to(device) for one in table))
    learner, batch = learner_of("vggunet", loss=loss), on_device(images("vggunet"))
    with NoReads():
        learner.train_step(batch)


@pytest.fixture
def two_ranks():
    """A process group whose other rank says nothing."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("name", known())
def test_nor_does_it_wait_where_several_processes_train_together(name, two_ranks):
    learner = learner_of(name, *RECIPES["one cycle"])
    train_together(learner, 0.5)
    trainer = Trainer(learner, Watched(Batches(name)), [], None, None, epochs=3)
    with pytest.raises(NotImplementedError, match="no data"):
        trainer.train_epoch()


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("augmentation", ["flip", "crop"])
def test_batches_are_made_without_reading(augmentation, streaming):
    drawn = load_dataset("drawn:fruit", 16)
    batches = OurBatches(
        drawn,
        drawn.indices(TRAIN)[:32],
        8,
        DEVICE,
        train=True,
        augmentation=augmentation,
        streaming=streaming,
    )
    with NoReads():
        assert [batch.colour.shape[0] for batch in batches.epoch(0)] == [8] * 4


@pytest.mark.parametrize(
    "read",
    [
        lambda loss: loss.item(),
        float,
        lambda loss: bool(loss > 0),
        lambda loss: loss.cpu(),
        lambda loss: loss[None].nonzero(),
        lambda loss: loss[None][loss[None] > 0],
        lambda loss: loss + torch.tensor(1.0).to(loss.device),
    ],
)
def test_a_step_that_reads_is_found(read):
    learner, batch = learner_of("unet"), on_device(images("unet"))
    with NoReads(), pytest.raises(HostReadError):
        read(learner.train_step(batch)["loss"])
