"""VGG16's weights: where they are, what they are, and for which range of pixels they were trained."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from models.checkpoint import load_weights
from models.errors import ModelError
from models.torchvision_shim import torchvision

RANDOM_SEED = 0
HUB_FILE = "vgg16_features-amdegroot-88682ab5.pth"  # VGG16_Weights.IMAGENET1K_FEATURES
HUB_DIGEST = "88682ab5"  # its SHA-256 begins so
VERSION = 2  # raise it when a change here or in `models.vgg` changes the features: they are cached

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The paper's own weights, which IMAGENET1K_FEATURES are, expect 0…255 with the mean subtracted.
PAPER_MEAN, PAPER_STD = (0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)
PAPER_KERNEL = (0.5504, 0.4401, -0.0814, 0.3458, 0.0406, -0.4535, -0.0586, -0.3307, -0.4850)
"""The paper's first kernel on green, for 0…255: its weights are known by it, whatever their file is called."""


def load_vgg16(weights: str) -> nn.Module:
    """VGG16's convolutional part, torchvision's `features` (31 layers).

    Args:
        weights: `auto`: torchvision's IMAGENET1K_FEATURES from torch's hub cache, never downloaded here;
            the path of a .safetensors or .pth file with torchvision's keys (`0.weight` … `28.bias`, also
            prefixed with `features.`); or `random`: fixed random weights, on request only.

    Raises:
        ModelError: The file is missing, damaged, or not VGG16.
    """
    layers: nn.Module = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"], batch_norm=False)
    if weights == "random":
        _initialise(layers)
        return layers
    path = weights_file(weights)
    tensors = {key.removeprefix("features."): value.float() for key, value in _read(path).items()}
    wanted = layers.state_dict()
    missing = [
        key for key, value in wanted.items() if key not in tensors or tensors[key].shape != value.shape
    ]
    if missing:
        raise ModelError(
            f"{path} does not hold VGG16 in torchvision's layout: {missing[0]} is missing or misshapen."
        )
    layers.load_state_dict({key: tensors[key] for key in wanted})
    return layers


def input_statistics(weights: str, layers: nn.Module) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel by which images in [0, 1] are normalised for some weights.

    torchvision's file, by its checksum, and any weights whose first kernel is the paper's are for 0…255. All others,
    also the paper's with that scale moved into the first layer, are taken to be for [0, 1] with ImageNet's mean and
    standard deviation, as torchvision trains.

    Args:
        weights: See `load_vgg16`.
        layers: What it gave.
    """
    published = weights != "random" and file_sha256(weights_file(weights)).startswith(HUB_DIGEST)
    kernel = layers.state_dict()["0.weight"][0, 1].flatten().cpu()
    papers = torch.allclose(kernel, torch.tensor(PAPER_KERNEL), rtol=0, atol=3e-3)  # also after 16 bits
    return (PAPER_MEAN, PAPER_STD) if published or papers else (IMAGENET_MEAN, IMAGENET_STD)


def weights_file(weights: str) -> Path:
    """The file behind `auto` or a path.

    Raises:
        ModelError: It does not exist; the message says what to do.
    """
    if weights != "auto":
        path = Path(weights).expanduser()
        if not path.is_file():
            raise ModelError(
                f"The VGG16 weights file {path} does not exist; give a .safetensors or .pth file."
            )
        return path
    path = hub_path()
    if not path.is_file():
        raise ModelError(
            "VGG16's weights are not on this machine: fetch them with `python -m study.weights`, or put "
            f"torchvision's {HUB_FILE} into {path.parent}, or give the path of a local .safetensors or .pth file, "
            "or choose 'random' by name."
        )
    return path


def hub_path() -> Path:
    """Where torch keeps torchvision's file, whether it is there or not."""
    return Path(torch.hub.get_dir()) / "checkpoints" / HUB_FILE


def describe_weights(weights: str) -> str:
    """The weights in words, for consoles and reports.

    Raises:
        ModelError: The file does not exist.
    """
    if weights == "random":
        return f"random (seed {RANDOM_SEED}, not pretrained)"
    path = weights_file(weights)
    return f"file {path.name} sha256 {file_sha256(path)[:16]}"


def weights_fingerprint(weights: str) -> str:
    """A key that changes whenever the vectors would; for caches.

    Raises:
        ModelError: The file does not exist.
    """
    content = f"random{RANDOM_SEED}" if weights == "random" else file_sha256(weights_file(weights))
    return f"vgg16-v{VERSION}-{content}"


def _initialise(layers: nn.Module) -> None:
    """He initialisation, as torchvision does it, from a generator of its own."""
    generator = torch.Generator().manual_seed(RANDOM_SEED)
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_weights(path)[0]
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, OSError) as error:
        raise ModelError(f"The VGG16 weights file {path} is damaged or no PyTorch weights file.") from error
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ModelError(f"The VGG16 weights file {path} holds no plain table of tensors.")
    return tensors


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
