"""VGG16 (Simonyan & Zisserman 2015) as a frozen describer of images: one vector of 512 values per image."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import load_weights
from models.errors import ModelError
from models.torchvision_shim import torchvision

RANDOM_SEED = 0
SMALLEST_SIDE = 32  # five max-pools
HUB_FILE = "vgg16_features-amdegroot-88682ab5.pth"  # VGG16_Weights.IMAGENET1K_FEATURES
VERSION = 2  # raise it when a change here changes the vectors: they are cached

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# IMAGENET1K_FEATURES are the paper's own weights, which expect 0…255 with the mean subtracted.
PAPER_MEAN, PAPER_STD = (0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)


class VGG16Features(nn.Module):
    """Grey images → conv5 features of a frozen VGG16, averaged over the image, scaled to unit RMS.

    The scale is fixed because it is no property of the image: between weights of different origin it differs
    by two orders of magnitude, and vectors that drown the grey features saturate Koalarization's tanh.

    Args:
        weights: `auto`, the path of a file, or `random`; see `load_vgg16`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.features = load_vgg16(weights)
        paper = weights != "random" and weights_file(weights).name == HUB_FILE
        mean, std = (PAPER_MEAN, PAPER_STD) if paper else (IMAGENET_MEAN, IMAGENET_STD)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, grey: Tensor) -> Tensor:
        """B×H×W uint8 → B×512 float32 ≥ 0, root mean square 1. Sides under 32 are enlarged to 32."""
        image = grey[:, None].float() / 255  # B×1×H×W in [0, 1]
        if min(image.shape[-2:]) < SMALLEST_SIDE:
            size = [max(side, SMALLEST_SIDE) for side in image.shape[-2:]]
            image = functional.interpolate(image, size, mode="bilinear", align_corners=False)
        normalised = (image - self.mean) / self.std  # B×3×H×W
        pooled = self.features(normalised).mean(dim=(2, 3))  # B×512
        unit: Tensor = functional.normalize(pooled) * pooled.shape[1] ** 0.5
        return unit


def image_vectors(grey: np.ndarray, weights: str, device: torch.device, batch_size: int = 64) -> np.ndarray:
    """VGG16 vectors of images as they are and mirrored.

    Args:
        grey: N×H×W uint8.
        weights: See `load_vgg16`.
        device: Where to compute.
        batch_size: Images at a time.

    Returns:
        2×N×512 float32: plain, then horizontally flipped.

    Raises:
        ModelError: The weights are missing or wrong.
    """
    network = VGG16Features(weights).to(device)
    vectors = np.empty((2, len(grey), 512), dtype=np.float32)
    for start in range(0, len(grey), batch_size):
        images = torch.from_numpy(grey[start : start + batch_size].copy()).to(device)
        rows = slice(start, start + len(images))
        vectors[0, rows] = network(images).cpu().numpy()
        vectors[1, rows] = network(images.flip(-1)).cpu().numpy()
    return vectors


def load_vgg16(weights: str) -> nn.Module:
    """VGG16's convolutional part, torchvision's `features` (31 layers).

    Args:
        weights: `auto`: torchvision's IMAGENET1K_FEATURES from torch's hub cache, never downloaded here;
            the path of a .safetensors or .pth file with torchvision's keys (`0.weight` … `28.bias`, also
            prefixed with `features.`), trained for [0, 1] with ImageNet mean and standard deviation
            unless it is the hub's file; or `random`: fixed random weights, on request only.

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
    path = Path(torch.hub.get_dir()) / "checkpoints" / HUB_FILE
    if not path.is_file():
        raise ModelError(
            f"VGG16's weights are not on this machine: put torchvision's {HUB_FILE} into {path.parent}, "
            "or give the path of a local .safetensors or .pth file, or choose 'random' by name."
        )
    return path


def describe_weights(weights: str) -> str:
    """The weights in words, for consoles and reports.

    Raises:
        ModelError: The file does not exist.
    """
    if weights == "random":
        return f"random (seed {RANDOM_SEED}, not pretrained)"
    path = weights_file(weights)
    return f"file {path.name} sha256 {_sha256(path)[:16]}"


def weights_fingerprint(weights: str) -> str:
    """A key that changes whenever the vectors would; for caches.

    Raises:
        ModelError: The file does not exist.
    """
    content = f"random{RANDOM_SEED}" if weights == "random" else _sha256(weights_file(weights))
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
