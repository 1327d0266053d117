import pytest
import torch
from torch import nn

from models.architectures import architecture, known
from models.discriminator import Discriminator, PatchDiscriminator
from models.errors import ModelError
from models.koalarization import Koalarization
from models.metrics import luma
from models.settings import Recipe
from models.unet import UNet
from tests.support.synthetic import Images, images

STEPS = 4
TOLERANCE = {"rtol": 1e-4, "atol": 1e-6}  # fused Adam orders its float32 operations differently


ORIGINAL = Recipe()
RECIPE = Recipe(loss="l1", ema=0.9, weight_decay=0.1)
ON_TARGET = {"rgb": lambda grey, rgb: rgb, "luma_kept": lambda grey, rgb: rgb - luma(rgb)[:, None] + grey}


def plain_adam(network: nn.Module, recipe: Recipe, rate: float, beta1: float) -> torch.optim.Optimizer:
    if recipe.weight_decay:
        return torch.optim.AdamW(network.parameters(), rate, (beta1, 0.999), weight_decay=recipe.weight_decay)
    return torch.optim.Adam(network.parameters(), rate, (beta1, 0.999))


def plain_regression(network: nn.Module, target: str, recipe: Recipe) -> list[float]:
    optimizer = plain_adam(network, recipe, 1e-3, 0.9)
    criterion = nn.L1Loss() if recipe.loss == "l1" else nn.MSELoss()
    losses = []
    for step in range(STEPS):
        batch = images(seed=step)
        inputs = (batch.grey, batch.features) if isinstance(network, Koalarization) else (batch.grey,)
        optimizer.zero_grad()
        loss = criterion(ON_TARGET[target](batch.grey, network(*inputs)), batch.colour)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(("target", "recipe"), [("rgb", ORIGINAL), ("luma_kept", RECIPE)])
@pytest.mark.parametrize(("name", "network"), [("unet", UNet), ("koalarization", Koalarization)])
def test_regression_step_equals_the_plain_loop(name, network, target, recipe, build):
    learner = build(name, seed=3, learning_rate=1e-3, target=target, recipe=recipe)
    ours = [learner.train_step(images(seed=step))["loss"].item() for step in range(STEPS)]
    torch.manual_seed(3)
    tolerance = 1e-4 if recipe.loss == "mse" else 1e-3  # L1's gradient is a sign, which rounding may turn
    assert ours == pytest.approx(plain_regression(network(4), target, recipe), rel=tolerance)
    assert ours[-1] != ours[0]


def plain_gan(target: str, recipe: Recipe, judge: type[nn.Module]) -> list[tuple[float, float]]:
    generator, discriminator = UNet(4), judge(4)
    g_adam = plain_adam(generator, recipe, 2e-4, 0.5)
    d_adam = plain_adam(discriminator, recipe, 1e-3, 0.5)
    losses = []
    for step in range(STEPS):
        batch = images(seed=step, size=32)
        fake = ON_TARGET[target](batch.grey, generator(batch.grey))
        d_adam.zero_grad()
        p_real = torch.sigmoid(discriminator(batch.grey, batch.colour))
        p_fake = torch.sigmoid(discriminator(batch.grey, fake.detach()))
        d_loss = -(torch.log(p_real + 1e-8) + torch.log(1 - p_fake + 1e-8)).mean()
        d_loss.backward()
        d_adam.step()
        g_adam.zero_grad()
        p_fake = torch.sigmoid(discriminator(batch.grey, fake))
        g_loss = -torch.log(p_fake + 1e-8).mean() + 30 * (fake - batch.colour).abs().mean()
        g_loss.backward()
        g_adam.step()
        losses.append((g_loss.item(), d_loss.item()))
    return losses


@pytest.mark.parametrize(("target", "recipe"), [("rgb", ORIGINAL), ("luma_kept", RECIPE)])
@pytest.mark.parametrize(("kind", "judge"), [("image", Discriminator), ("patch", PatchDiscriminator)])
def test_gan_step_equals_the_plain_loop(kind, judge, target, recipe, build):
    chosen = {"discriminator_learning_rate": 1e-3, "l1_weight": 30.0, "epsilon": 1e-8}
    learner = build(
        "cgan", seed=3, target=target, recipe=recipe, discriminator=kind, learning_rate=2e-4, **chosen
    )
    reports = [learner.train_step(images(seed=step, size=32)) for step in range(STEPS)]
    torch.manual_seed(3)
    for report, (g_loss, d_loss) in zip(reports, plain_gan(target, recipe, judge), strict=True):
        assert report["generator_loss"].item() == pytest.approx(g_loss, rel=1e-4)
        assert report["discriminator_loss"].item() == pytest.approx(d_loss, rel=1e-4)


@pytest.mark.parametrize("name", ["koalarization", "unet", "cgan"])
def test_networks_that_keep_the_luma_predict_it(name, build):
    learner = build(name, target="luma_kept")
    batch = images(name)
    learner.train_step(batch)
    colour = learner.predict(batch.grey, batch.features)
    assert (luma(colour)[:, None] - batch.grey).abs().max() < 2e-6
    assert colour.abs().max() <= 1


@pytest.mark.parametrize("name", known())
def test_a_learner_reports_the_losses_its_architecture_names(name, build):
    report = build(name).train_step(images(name))
    assert set(report) == set(architecture(name).losses)
    assert all(value.shape == () and not value.requires_grad for value in report.values())


@pytest.mark.parametrize("name", known())
def test_training_lowers_the_error_on_the_training_images(name, build):
    learner = build(name, width=8, learning_rate=2e-3)
    noise = images(name)
    colour = noise.colour * 0.2 + torch.tensor([0.5, -0.1, -0.3]).view(1, 3, 1, 1)
    batch = Images(luma(colour)[:, None], colour, noise.features)
    loss = "l1_loss" if name == "cgan" else "loss"
    losses = [learner.train_step(batch)[loss].item() for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_logits_loss_trains_the_same_network_almost_alike(build):
    on_probabilities = build("cgan").train_step(images())
    on_logits = build("cgan", gan_loss="logits").train_step(images())
    for name, value in on_probabilities.items():
        torch.testing.assert_close(on_logits[name], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("target", "recipe"), [("rgb", ORIGINAL), ("luma_kept", RECIPE)])
def test_a_gan_started_from_a_unet_predicts_exactly_what_the_unet_predicts(target, recipe, build):
    unet = build("unet", seed=1, target=target, recipe=recipe)
    gan = build("cgan", seed=2, target=target, recipe=recipe)
    for step in range(3):
        unet.train_step(images(seed=step))
        unet.update_average()
    grey = images(seed=9).grey
    assert not torch.equal(gan.predict(grey), unet.predict(grey))
    gan.load_generator(unet.generator_tensors())
    assert torch.equal(gan.predict(grey), unet.predict(grey))


def first_of(features):
    if isinstance(features, tuple):
        return tuple(level[:1] for level in features)
    return None if features is None else features[:1]


@pytest.mark.parametrize("name", known())
def test_prediction_of_an_image_does_not_depend_on_its_companions(name, build):
    learner = build(name)
    learner.train_step(images(name))
    batch = images(name, seed=1)
    together = learner.predict(batch.grey, batch.features)
    alone = learner.predict(batch.grey[:1], first_of(batch.features))
    torch.testing.assert_close(together[:1], alone, **TOLERANCE)


@pytest.mark.parametrize("name", known())
def test_loaded_tensors_continue_exactly(name, build):
    first, second = build(name, seed=1), build(name, seed=2)
    for step in range(2):
        first.train_step(images(name, seed=step))
    second.load_tensors(first.tensors())
    for step in range(2, 4):
        batch = images(name, seed=step)
        expected, got = first.train_step(batch), second.train_step(batch)
        assert all(torch.equal(expected[key], got[key]) for key in expected)


def test_a_snapshot_does_not_change_with_further_training(build):
    learner = build("cgan")
    learner.train_step(images())
    snapshot = learner.tensors()
    kept = {key: tensor.clone() for key, tensor in snapshot.items()}
    learner.train_step(images(seed=1))
    assert all(torch.equal(snapshot[key], kept[key]) for key in snapshot)
    assert all(tensor.is_contiguous() and tensor.device.type == "cpu" for tensor in snapshot.values())
    assert {key.split("/")[0] for key in snapshot} == {"generator", "discriminator", "optimizer"}
    assert "optimizer/generator/0/exp_avg" in snapshot


def test_weights_of_another_width_are_refused(build):
    with pytest.raises(ModelError, match="another architecture or width"):
        build("unet", width=8).load_generator(build("unet", width=4).generator_tensors())


@pytest.mark.parametrize("name", ["koalarization", "vggunet"])
def test_missing_features_are_refused(name, build):
    with pytest.raises(ModelError, match="VGG16's features"):
        build(name).predict(images(name).grey)


def test_training_consumes_no_global_randomness(build):
    learner = build("cgan")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    learner.train_step(images())
    assert torch.equal(torch.rand(1), expected)
