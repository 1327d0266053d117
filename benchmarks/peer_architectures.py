"""Published colour networks of others, built from their descriptions, as a plug-in to compare with.

- `deep_koalarization`: Baldassarre et al. 2017, arXiv 1712.03400. MSE, Adam 1e-3.
- `tutorial_cgan`: M. Shariatnia's tutorial "Colorizing black & white images with U-Net and conditional GAN". A U-Net of
  strided convolutions with dropout, PatchGAN, cross-entropy and 100 times L1, Adam 2e-4 with β₁ 0.5, weights of σ 0.02.
- `pix2pix_colorization`: the colorization mode of pytorch-CycleGAN-and-pix2pix (Isola et al. 2017). The same networks
  and losses with batches of 1.

All predict a* and b*, divided by 110, from L*, and are shown with the L* of the grey image. Not as published: the
number of halvings (as many as images of 64 pixels allow), the width (that of the networks beside them), flips as
the only augmentation, and the vector of `deep_koalarization`: VGG16's instead of Inception-ResNet-v2's.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.architectures import Architecture, Float, register
from models.definition import Parameters
from models.hardware import adam
from models.koalarization import Koalarization
from models.learner import Batch, Learner
from models.metrics.colour import lab_to_rgb, lightness_of_grey, rgb_to_lab, to_unit
from models.settings import ModelSettings

AB_SCALE = 110.0
LEVELS = 6  # halvings of the U-Net: 64 pixels → 1
L1_WEIGHT, RATE, BETA1 = 100.0, 2e-4, 0.5


class AbColours(nn.Module):
    """A network from L* to a*b* as a network from grey to RGB; in training it gives a*b* / 110 itself."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, grey: Tensor, *features: Any) -> Tensor:
        """B×1×H×W in [−1, 1] → B×3×H×W RGB in [−1, 1], in training B×2×H×W."""
        lightness = lightness_of_grey(to_unit(grey))[:, None]
        ab = self.network(lightness / 50 - 1, *features).float()
        if self.training:
            return ab
        return lab_to_rgb(torch.cat([lightness, ab * AB_SCALE], dim=1)).clamp(0, 1) * 2 - 1


def true_ab(colour: Tensor) -> Tensor:
    """B×3×H×W RGB in [−1, 1] → B×2×H×W a*b* / 110."""
    return rgb_to_lab(to_unit(colour))[:, 1:] / AB_SCALE


class Pix2PixUNet(nn.Module):
    """The U-Net of Isola et al. 2017: 4×4 convolutions of stride 2, BatchNorm, dropout in the deepest levels."""

    def __init__(self, width: int, levels: int = LEVELS) -> None:
        super().__init__()
        channels = [min(width * 2**level, width * 8) for level in range(levels)]
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, outputs in enumerate(channels):
            inner, outer = level == levels - 1, level == 0
            inputs = 1 if outer else channels[level - 1]
            down: list[nn.Module] = [] if outer else [nn.LeakyReLU(0.2)]
            down.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=outer or inner))
            if not outer and not inner:
                down.append(nn.BatchNorm2d(outputs))
            up: list[nn.Module] = [nn.ReLU()]
            below = outputs if inner else 2 * outputs
            up.append(nn.ConvTranspose2d(below, 2 if outer else inputs, 4, 2, 1, bias=outer))
            up.append(nn.Tanh() if outer else nn.BatchNorm2d(inputs))
            if not outer and not inner and inputs == width * 8:
                up.append(nn.Dropout(0.5))
            self.down.append(nn.Sequential(*down))
            self.up.append(nn.Sequential(*up))
        self.apply(_normal_weights)

    def forward(self, x: Tensor) -> Tensor:
        """B×1×H×W → B×2×H×W in [−1, 1]; sides multiples of 2^levels."""
        skipped = []
        for down in self.down:
            x = down(x)
            skipped.append(x)
        for level in reversed(range(len(self.up))):
            deepest = level == len(self.up) - 1
            x = self.up[level](x if deepest else torch.cat([skipped[level], x], dim=1))
        return x


class PatchGAN(nn.Sequential):
    """L* and a*b* (3 channels) → a logit per patch of 70×70 pixels."""

    def __init__(self, width: int) -> None:
        channels = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for inputs, outputs, stride in zip(channels, channels[1:], (2, 2, 1), strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False), nn.BatchNorm2d(outputs)]
            layers.append(nn.LeakyReLU(0.2))
        super().__init__(*layers, nn.Conv2d(channels[-1], 1, 4, 1, 1))
        self.apply(_normal_weights)


class AbGanLearner(Learner):
    """Cross-entropy on logits against the PatchGAN, and 100 times the mean absolute error of a*b*."""

    def __init__(self, settings: ModelSettings, parameters: Parameters, device: torch.device) -> None:
        networks = {
            "generator": AbColours(Pix2PixUNet(settings.width)),
            "discriminator": PatchGAN(settings.width),
        }
        super().__init__(networks, settings, device)
        for name, network in self.modules.items():
            rate = float(parameters["learning_rate"])
            self.optimizers[name] = adam(network.parameters(), rate, BETA1)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """The discriminator's step, then the generator's; reports both losses."""
        self._set_training(True)
        lightness = lightness_of_grey(to_unit(batch.grey))[:, None] / 50 - 1
        truth, fake = true_ab(batch.colour), self._colour(batch.grey, None)
        judge = self.modules["discriminator"]
        on_real = judge(torch.cat([lightness, truth], dim=1))
        on_fake = judge(torch.cat([lightness, fake.detach()], dim=1))
        d_loss = (_entropy(on_real, 1.0) + _entropy(on_fake, 0.0)) / 2
        self._descend("discriminator", d_loss)
        judge.requires_grad_(False)
        on_fake = judge(torch.cat([lightness, fake], dim=1))
        g_loss = _entropy(on_fake, 1.0) + L1_WEIGHT * functional.l1_loss(fake, truth)
        self._descend("generator", g_loss)
        judge.requires_grad_(True)
        return {"generator_loss": g_loss.detach(), "discriminator_loss": d_loss.detach()}

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimizers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers[name].step()


class KoalarizationLearner(Learner):
    """Koalarization's network with two outputs, mean squared error of a*b*."""

    def __init__(self, settings: ModelSettings, parameters: Parameters, device: torch.device) -> None:
        network = Koalarization(settings.width)
        last = [layer for layer in network.decoder if isinstance(layer, nn.Conv2d)][-1]
        network.decoder[list(network.decoder).index(last)] = nn.Conv2d(last.in_channels, 2, 3, padding=1)
        super().__init__({"generator": AbColours(network)}, settings, device, needs_features=True)
        rate = float(parameters["learning_rate"])
        self.optimizers["generator"] = adam(self.generator.parameters(), rate, 0.9)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of Adam; reports `loss`."""
        self._set_training(True)
        loss = functional.mse_loss(self._colour(batch.grey, batch.features), true_ab(batch.colour))
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return {"loss": loss.detach()}


def _entropy(logits: Tensor, truth: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))


def _normal_weights(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1, 0.02)


for _name in ("tutorial_cgan", "pix2pix_colorization"):
    register(
        Architecture(
            name=_name,
            build=AbGanLearner,
            search_space={"learning_rate": Float(1e-5, 1e-2)},
            textbook={"learning_rate": RATE},
            stride=2**LEVELS,
            losses=("generator_loss", "discriminator_loss"),
        )
    )
register(
    Architecture(
        name="deep_koalarization",
        build=KoalarizationLearner,
        search_space={"learning_rate": Float(1e-5, 1e-2)},
        textbook={"learning_rate": 1e-3},
        stride=Koalarization.stride,
        features="vector",
        losses=("loss",),
    )
)
