"""VGG16 (Simonyan & Zisserman 2015) as a frozen describer of grey images: one vector each, or maps of several layers.

Every description is scaled to a root mean square of 1, because the scale is no property of the image: between
weights of different origin it differs by two orders of magnitude, and within VGG16 from layer to layer.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import ModelError
from models.vgg_weights import input_statistics, load_vgg16

SMALLEST_SIDE = 32  # five max-pools
MAP_LAYERS = {8: 128, 15: 256, 22: 512, 29: 512}
"""Channels behind the last ReLU of conv2 to conv5, by their place in torchvision's `features`."""

Empty = Callable[[tuple[int, ...], type[np.generic]], np.ndarray]
_UNSEEN = 1e-6  # a root mean square below it is nothing but rounding


class FrozenVGG16(nn.Module):
    """What both describers share: frozen weights, and the normalisation that they were trained with.

    Args:
        weights: `auto`, the path of a file, or `random`; see `models.vgg_weights.load_vgg16`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.features = load_vgg16(weights)
        mean, std = input_statistics(weights, self.features)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def _normalised(self, grey: Tensor) -> Tensor:
        """B×1×H×W in [0, 1] → B×3×H×W."""
        return (grey - self.mean) / self.std


class VGG16Features(FrozenVGG16):
    """Grey images → conv5 features averaged over the image: one vector for Koalarization."""

    @torch.no_grad()
    def forward(self, grey: Tensor) -> Tensor:
        """B×H×W in 0…255 → B×512 float32 ≥ 0, root mean square 1. Sides under 32 are enlarged to 32."""
        image = grey[:, None].float() / 255  # B×1×H×W in [0, 1]
        if min(image.shape[-2:]) < SMALLEST_SIDE:
            size = [max(side, SMALLEST_SIDE) for side in image.shape[-2:]]
            image = functional.interpolate(image, size, mode="bilinear", align_corners=False)
        pooled = self.features(self._normalised(image)).mean(dim=(2, 3))  # B×512
        unit: Tensor = functional.normalize(pooled) * pooled.shape[1] ** 0.5
        return unit


class VGG16Maps(FrozenVGG16):
    """Grey images → what the last layers of conv2 to conv5 say of each place, for the U-Net on VGG16."""

    @torch.no_grad()
    def forward(self, grey: Tensor) -> tuple[Tensor, ...]:
        """B×H×W in 0…255, sides multiples of 16 → maps ≥ 0, each of root mean square 1 per image.

        B×128×H/2×W/2, B×256×H/4×W/4, B×512×H/8×W/8 and B×512×H/16×W/16.
        """
        x = self._normalised(grey[:, None].float() / 255)  # B×3×H×W
        return tuple(self._maps(x))

    def _maps(self, x: Tensor) -> Iterator[Tensor]:
        for place, layer in enumerate(self.features.children()):
            x = functional.relu(x) if isinstance(layer, nn.ReLU) else layer(x)  # not in place: x may be a map
            if place in MAP_LAYERS:
                yield x / (x.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + _UNSEEN)
            if place == max(MAP_LAYERS):
                return


def vgg16_describer(kind: str, weights: str) -> FrozenVGG16:
    """The network that describes images as an architecture needs it.

    Args:
        kind: `vector` or `maps`; see `Architecture.features`.
        weights: See `models.vgg_weights.load_vgg16`.

    Raises:
        ModelError: The kind is neither, or the weights are missing or wrong.
    """
    if kind == "vector":
        return VGG16Features(weights)
    if kind == "maps":
        return VGG16Maps(weights)
    raise ModelError(f"Unknown features {kind!r}; an architecture takes vector or maps.")


def image_vectors(
    grey: np.ndarray,
    weights: str,
    device: torch.device,
    batch_size: int = 64,
    positions: np.ndarray | None = None,
    empty: Empty = np.empty,
) -> np.ndarray:
    """VGG16 vectors of images as they are and mirrored.

    Args:
        grey: N×H×W uint8.
        weights: See `load_vgg16`.
        device: Where to compute.
        batch_size: Images at a time.
        positions: Of the images in question; all, if none are given. Only these are read, a batch at a time.
        empty: Makes the arrays to be filled, of a shape and a type: in memory, or in mapped files.

    Returns:
        2×N×512 float32: plain, then horizontally flipped.

    Raises:
        ModelError: The weights are missing or wrong.
    """
    positions = np.arange(len(grey)) if positions is None else positions
    network = VGG16Features(weights).to(device)
    vectors = empty((2, len(positions), 512), np.float32)
    for rows, images in _both_ways(grey, positions, device, batch_size):
        vectors[rows] = network(images).cpu().numpy()
    return vectors


def image_maps(
    grey: np.ndarray,
    weights: str,
    device: torch.device,
    batch_size: int = 64,
    positions: np.ndarray | None = None,
    empty: Empty = np.empty,
) -> tuple[np.ndarray, ...]:
    """VGG16's maps of images as they are and mirrored; see `maps_bytes` for the memory they take.

    Args:
        grey: N×H×W uint8, sides multiples of 16.
        weights: See `load_vgg16`.
        device: Where to compute.
        batch_size: Images at a time.
        positions: Of the images in question; all, if none are given. Only these are read, a batch at a time.
        empty: Makes the arrays to be filled, of a shape and a type: in memory, or in mapped files.

    Returns:
        2×N×h×w×C float16 per layer, channels last as narrow networks and GPUs want them: plain, then flipped.

    Raises:
        ModelError: The weights are missing or wrong.
    """
    positions = np.arange(len(grey)) if positions is None else positions
    height, width = grey.shape[1:]
    network = VGG16Maps(weights).to(device)
    maps = tuple(
        empty((2, len(positions), height >> level, width >> level, channels), np.float16)
        for level, channels in enumerate(MAP_LAYERS.values(), start=1)
    )
    for rows, images in _both_ways(grey, positions, device, batch_size):
        for array, found in zip(maps, network(images), strict=True):
            array[rows] = found.movedim(1, -1).half().cpu().numpy()
    return maps


def maps_bytes(count: int, size: int) -> int:
    """Bytes that `image_maps` of so many square images takes: 0.95 MB an image of 64 pixels, 3.8 MB of 128."""
    values = sum(
        channels * (size >> level) ** 2 for level, channels in enumerate(MAP_LAYERS.values(), start=1)
    )
    return 2 * count * values * np.dtype(np.float16).itemsize


def _both_ways(
    grey: np.ndarray, positions: np.ndarray, device: torch.device, batch_size: int
) -> Iterator[tuple[tuple[int, slice], Tensor]]:
    for start in range(0, len(positions), batch_size):
        images = torch.from_numpy(grey[positions[start : start + batch_size]]).to(device)
        rows = slice(start, start + len(images))
        yield (0, rows), images
        yield (1, rows), images.flip(-1)
