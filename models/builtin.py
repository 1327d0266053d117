"""The architectures that come with the software."""

import torch

from models.adversarial import AdversarialLearner
from models.definition import Architecture, Choice, Float, Parameters
from models.discriminator import DISCRIMINATORS, Discriminator, discriminator
from models.koalarization import Koalarization
from models.learner import Learner
from models.luma import on_target
from models.regression import RegressionLearner
from models.settings import ModelSettings
from models.unet import UNet
from models.vggunet import LOSSES, VGGUNet

LEARNING_RATE = Float(1e-5, 1e-2)


def _koalarization(settings: ModelSettings, parameters: Parameters, device: torch.device) -> Learner:
    network = on_target(Koalarization(settings.width), settings.target)
    rate = float(parameters["learning_rate"])
    return RegressionLearner(network, rate, settings, device, needs_features=True)


def _unet(settings: ModelSettings, parameters: Parameters, device: torch.device) -> Learner:
    network = on_target(UNet(settings.width), settings.target)
    return RegressionLearner(network, float(parameters["learning_rate"]), settings, device)


def _vggunet(settings: ModelSettings, parameters: Parameters, device: torch.device) -> Learner:
    network = VGGUNet(settings.width, str(parameters["loss"]))
    rate = float(parameters["learning_rate"])
    return RegressionLearner(network, rate, settings, device, needs_features=True, loss=network.loss)


def _cgan(settings: ModelSettings, parameters: Parameters, device: torch.device) -> Learner:
    return AdversarialLearner(
        on_target(UNet(settings.width), settings.target),
        discriminator(str(parameters["discriminator"]), settings.width),
        learning_rate=float(parameters["learning_rate"]),
        discriminator_learning_rate=float(parameters["discriminator_learning_rate"]),
        l1_weight=float(parameters["l1_weight"]),
        epsilon=float(parameters["epsilon"]),
        settings=settings,
        device=device,
    )


KOALARIZATION = Architecture(
    name="koalarization",
    build=_koalarization,
    search_space={"learning_rate": LEARNING_RATE},
    textbook={"learning_rate": 1e-3},
    stride=Koalarization.stride,
    features="vector",
    losses=("loss",),
)

UNET = Architecture(
    name="unet",
    build=_unet,
    search_space={"learning_rate": LEARNING_RATE},
    textbook={"learning_rate": 1e-3},
    stride=UNet.stride,
    losses=("loss",),
)

VGGUNET = Architecture(
    name="vggunet",
    build=_vggunet,
    search_space={"learning_rate": LEARNING_RATE, "loss": Choice(LOSSES)},
    textbook={"learning_rate": 1e-3, "loss": "l1"},
    stride=VGGUNet.stride,
    features="maps",
    losses=("loss",),
)

# `generator_init` is no business of `build`: whoever has the U-Net's weights calls `load_generator`.
CGAN = Architecture(
    name="cgan",
    build=_cgan,
    search_space={
        "learning_rate": LEARNING_RATE,
        "discriminator_learning_rate": Float(1e-6, 1e-2),
        "l1_weight": Float(1.0, 1000.0),
        "epsilon": Float(1e-12, 1e-3),
        "generator_init": Choice(("scratch", "unet")),
    },
    textbook={
        "learning_rate": 2e-4,
        "discriminator_learning_rate": 2e-4,
        "l1_weight": 100.0,
        "epsilon": 1e-12,
        "generator_init": "scratch",
    },
    optional={"discriminator": Choice(DISCRIMINATORS)},
    defaults={"discriminator": "image"},
    textbook_luma_kept={"learning_rate": 1e-3, "discriminator_learning_rate": 1e-3},
    stride=max(UNet.stride, Discriminator.stride),
    pretrained_by="unet",
    losses=(
        "generator_loss",
        "discriminator_loss",
        "adversarial_loss",
        "l1_loss",
        "discriminator_real",
        "discriminator_fake",
        "gradient_left",
    ),
)
