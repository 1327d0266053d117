"""The U-Net on VGG16: luma, losses, what its files hold, and the whole way from grey to colour."""

import numpy as np
import pytest
import torch

from benchmarks.synthetic import image_set
from data_utils import Batches, ComputedFeatures, StoredFeatures
from models.architectures import architecture, seeded_build
from models.colorizer import VGG16, WEIGHTS, Colorizer
from models.colorizer_config import ColorizerConfig
from models.errors import ModelError
from models.metrics import luma
from models.settings import ModelSettings
from models.vgg import MAP_LAYERS, image_maps, vgg16_describer
from models.vggunet import LOSSES, MAP_CHANNELS, VGGUNet
from tests.support.synthetic import CPU, images

NAME = "vggunet"


@pytest.fixture
def make(build):
    def colorizer(loss: str = "l1", describer=None, vgg16: str = "random") -> Colorizer:
        tensors = build(NAME, loss=loss).generator_tensors()
        config = ColorizerConfig(NAME, 4, 32, vgg16=vgg16, parameters={"loss": loss})
        return Colorizer(config, tensors, describer or vgg16_describer("maps", "random"), CPU)

    return colorizer


def test_the_decoder_takes_what_vgg16_gives():
    assert tuple(MAP_LAYERS.values()) == MAP_CHANNELS


@pytest.mark.parametrize("loss", LOSSES)
def test_the_luma_is_the_greys_own(loss, build):
    learner = build(NAME, loss=loss)
    batch = images(NAME, size=32)
    learner.train_step(batch)
    with torch.no_grad():
        for parameter in learner.generator.head.parameters():
            parameter.mul_(40)  # far outside the gamut
    colour = learner.predict(batch.grey, batch.features)
    assert colour.abs().max() <= 1
    assert (luma(colour)[:, None] - batch.grey).abs().max() < 2e-6


@pytest.mark.parametrize("loss", LOSSES)
def test_every_weight_learns(loss):
    torch.manual_seed(0)
    network = VGGUNet(4, loss).train()
    batch = images(NAME, size=32)
    network.loss(network(batch.grey, batch.features), batch.colour).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def plain_steps(loss: str, steps: int) -> list[float]:
    network = VGGUNet(4, loss)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for step in range(steps):
        batch = images(NAME, seed=step)
        adam.zero_grad()
        blue, red = (batch.colour[:, channel] - batch.grey[:, 0] for channel in (2, 0))
        wanted = torch.stack([blue, red], dim=1)
        answer = network(batch.grey, batch.features)
        answer = torch.nn.functional.interpolate(answer, scale_factor=2, mode="bilinear")
        criterion = torch.nn.L1Loss() if loss == "l1" else torch.nn.MSELoss()
        one = criterion(answer, wanted)
        one.backward()
        adam.step()
        losses.append(one.item())
    return losses


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_a_step_equals_the_plain_loop(loss, build):
    learner = build(NAME, seed=3, loss=loss)
    ours = [learner.train_step(images(NAME, seed=step))["loss"].item() for step in range(4)]
    torch.manual_seed(3)
    assert ours == pytest.approx(plain_steps(loss, 4), rel=1e-4)


def test_its_files_hold_nothing_of_vgg16(make, tmp_path, build):
    trained = 4 * sum(parameter.numel() for parameter in build(NAME).generator.parameters())
    make().save(tmp_path)
    assert not (tmp_path / VGG16).exists()
    assert (tmp_path / WEIGHTS).stat().st_size < trained + 20_000
    optimized = build(NAME).optimizers["generator"].param_groups[0]["params"]
    assert 4 * sum(parameter.numel() for parameter in optimized) == trained


@pytest.mark.parametrize("loss", ["l1", "balanced_bins"])
def test_a_saved_model_colours_as_before_at_any_size(make, tmp_path, loss):
    colorizer = make(loss)
    colorizer.save(tmp_path)
    grey = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    loaded = Colorizer.load(tmp_path, "cpu")
    assert loaded.config == colorizer.config
    coloured = loaded.colour(grey)
    assert coloured.shape == (50, 70, 3)
    assert np.array_equal(coloured, colorizer.colour(grey))


def test_pretrained_layers_travel_with_a_model(make, tmp_path, vgg_file):
    colorizer = make(describer=vgg16_describer("maps", str(vgg_file)), vgg16="file")
    colorizer.save(tmp_path)
    assert (tmp_path / VGG16).stat().st_size < 30e6
    grey = np.random.default_rng(0).integers(0, 256, (2, 32, 32), dtype=np.uint8)
    loaded = Colorizer.load(tmp_path, "cpu")
    torch.testing.assert_close(loaded.predict(grey), colorizer.predict(grey), rtol=0, atol=1e-3)


def test_stored_maps_give_what_the_model_gives(make):
    colorizer = make()
    grey = np.random.default_rng(0).integers(0, 256, (2, 32, 32), dtype=np.uint8)
    maps = tuple(
        torch.from_numpy(level[0]).float().movedim(-1, 1) for level in image_maps(grey, "random", CPU)
    )
    stored = colorizer._learner.predict(torch.from_numpy(grey)[:, None].float() / 127.5 - 1, maps)
    torch.testing.assert_close(stored, colorizer.predict(grey), rtol=0, atol=5e-3)


def test_training_on_computed_maps_is_training_on_stored_ones(build):
    photographs = image_set(8, 32)
    sources = (
        StoredFeatures(image_maps(photographs.grey, "random", CPU), CPU),
        ComputedFeatures(vgg16_describer("maps", "random")),
    )
    losses = []
    for features in sources:
        learner = build(NAME, seed=1)
        batches = Batches(photographs, np.arange(8), 4, CPU, train=True, features=features)
        losses.append([learner.train_step(batch)["loss"].item() for batch in batches.epoch(0)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def test_an_unknown_loss_is_refused():
    one = architecture(NAME)
    with pytest.raises(ModelError, match=r"'vivid'.*balanced_bins"):
        seeded_build(one, ModelSettings(width=4), {**one.textbook, "loss": "vivid"}, CPU, 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_onnx_predicts_what_the_network_predicts(make, tmp_path, loss):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    colorizer = make(loss)

    class Whole(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.generator, self.describer = colorizer.generator, colorizer.describer

        def forward(self, grey):
            return self.generator(grey, self.describer((grey[:, 0] + 1) * 127.5))

    network = Whole().eval()
    probes = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    torch.onnx.export(
        network,
        (probes[:2],),
        tmp_path / "model.onnx",
        input_names=["grey"],
        output_names=["colour"],
        dynamic_shapes={"grey": {0: torch.export.Dim("batch")}},
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    (answer,) = session.run(["colour"], {"grey": probes.numpy()})
    with torch.no_grad():
        assert np.abs(answer - network(probes).numpy()).max() < 1e-3
