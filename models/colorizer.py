"""A trained generator with all it needs to colour images of any size, as a folder of plain files.

The folder holds `config.json`, `weights.safetensors` (the generator), for architectures that take its features
`vgg16.safetensors`, and for architectures of a plug-in file `architecture.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from models.architectures import architecture, known, seeded_build
from models.checkpoint import load_weights, save_weights
from models.colorizer_config import CONFIG, PLUGIN, ColorizerConfig, read_config
from models.errors import ModelError
from models.hardware import choose_device
from models.metrics.colour import lightness_of_grey, rgb_to_lab, to_unit
from models.metrics.gamut import lab_to_rgb_in_gamut
from models.plugins import load_plugin
from models.settings import ModelSettings
from models.vgg import vgg16_describer

WEIGHTS = "weights.safetensors"
VGG16 = "vgg16.safetensors"
LONGEST = 3  # the longer side is shown to the network at no more than this many times the model's size
BAND = 1 << 21  # full-resolution pixels that are merged at a time, which bounds the memory


class Colorizer:
    """Colours grey images at their own resolution.

    The network sees the whole image at the size it was trained on (shorter side = model size). Of its
    prediction only the chroma (a*, b*) is used: enlarged to the image's resolution and merged with the
    lightness of the image, so that no detail is lost. Where a display cannot show a colour at that lightness,
    its chroma is reduced.

    Args:
        config: What the weights are.
        generator: Tensors of the generator by the names of its state_dict.
        describer: VGG16 as the architecture needs it (`models.vgg.vgg16_describer`), if it does.
        device: Where to compute.

    Raises:
        ModelError: The weights do not fit, or VGG16 is missing.
    """

    def __init__(
        self,
        config: ColorizerConfig,
        generator: Mapping[str, Tensor],
        describer: nn.Module | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.config = config
        self.device = device or choose_device()
        definition = architecture(config.architecture)
        if definition.features and describer is None:
            raise ModelError(f"The architecture {config.architecture} needs VGG16, which is missing.")
        if config.image_size % definition.stride:
            raise ModelError(
                f"The model's image_size {config.image_size} is no multiple of {definition.stride}, "
                f"as {config.architecture} needs it."
            )
        self._stride = definition.stride
        settings = ModelSettings(width=config.width, precision="float32", target=config.target)
        parameters = config.parameters_for(definition)
        self._learner = seeded_build(definition, settings, parameters, self.device, seed=0)
        self._learner.load_generator(generator)
        self.describer = describer.to(self.device) if describer and definition.features else None

    @classmethod
    def load(cls, folder: Path, device: str = "auto", *, trust_code: bool = False) -> Colorizer:
        """Read a model folder.

        Args:
            folder: What `save` wrote.
            device: `auto`, `cpu` or `cuda`.
            trust_code: Run the program of a plug-in that the folder names, with all rights of this process.

        Raises:
            ModelError: A file is missing or damaged, or a plug-in is not trusted; the message names the file.
        """
        config = read_config(folder / CONFIG)
        if config.plugin and config.architecture not in known():
            _run_plugin(folder, config, trust_code)
        features = architecture(config.architecture).features
        describer = _load_describer(folder, config.vgg16, features) if features and config.vgg16 else None
        return cls(config, _finite_weights(folder / WEIGHTS), describer, choose_device(device))

    def save(self, folder: Path) -> None:
        """Write a model folder, all but the plug-in's file; the folder is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(
            folder / WEIGHTS, self._learner.generator_tensors(), {"architecture": self.config.architecture}
        )
        if self.config.vgg16 == "file" and self.describer is not None:
            save_weights(folder / VGG16, _half(self.describer.state_dict()), {"network": "VGG16 features"})
        text = json.dumps(asdict(self.config), indent=2, ensure_ascii=False)
        (folder / CONFIG).write_text(text + "\n", encoding="utf-8")

    @property
    def generator(self) -> nn.Module:
        """The network itself, in evaluation mode."""
        return self._learner.generator.eval()

    @torch.inference_mode()
    def predict(self, grey: np.ndarray) -> Tensor:
        """What the network itself gives, as it was trained and evaluated.

        Args:
            grey: B×H×W uint8, sides multiples of the architecture's stride.

        Returns:
            B×3×H×W float32 RGB in [−1, 1] on the device.
        """
        pixels = torch.from_numpy(np.ascontiguousarray(grey)).to(self.device)  # B×H×W
        features = self.describer(pixels) if self.describer else None
        return self._learner.predict(pixels[:, None].float().div_(127.5).sub_(1), features)

    @torch.inference_mode()
    def colour(self, grey: np.ndarray) -> np.ndarray:
        """Colour one image at its own resolution.

        Args:
            grey: H×W uint8, or uint16 whose whole precision goes into the lightness.

        Returns:
            H×W×3 uint8 RGB with the lightness of `grey`.

        Raises:
            ModelError: The array is no grey image.
        """
        if grey.ndim != 2 or not grey.size or grey.dtype not in (np.uint8, np.uint16):
            raise ModelError(f"Give a grey image as H×W uint8 or uint16, not {grey.shape} {grey.dtype}.")
        chroma = functional.interpolate(self._chroma(grey), grey.shape, mode="bicubic", align_corners=False)
        coloured = np.empty((*grey.shape, 3), dtype=np.uint8)
        rows = max(1, BAND // grey.shape[1])
        for top in range(0, len(grey), rows):
            band = slice(top, top + rows)
            coloured[band] = self._merge(grey[band], chroma[:, :, band])
        return coloured

    def _chroma(self, grey: np.ndarray) -> Tensor:
        """H×W → 1×2×h×w: a* and b* of the prediction for the image as the network sees it."""
        height, width = seen_size(grey.shape, self.config.image_size)
        small = _resized(_eight_bits(grey), height, width)
        below, right = -height % self._stride, -width % self._stride
        padded = np.pad(small, ((0, below), (0, right)), mode="symmetric")
        prediction = self.predict(padded[None])[:, :, :height, :width]
        return rgb_to_lab(to_unit(prediction))[:, 1:]

    def _merge(self, grey: np.ndarray, chroma: Tensor) -> np.ndarray:
        """H×W and 1×2×H×W → H×W×3 uint8."""
        full = torch.from_numpy(grey.astype(np.float32) / np.iinfo(grey.dtype).max).to(self.device)
        lightness = lightness_of_grey(full[None, None])  # 1×H×W
        rgb = lab_to_rgb_in_gamut(torch.cat([lightness[:, None], chroma], dim=1))
        levels: np.ndarray = rgb[0].mul(255).round_().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return levels


def seen_size(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Height and width at which a network of a training size sees an image of H×W, its aspect ratio kept.

    The shorter side gets the training size, since training images were cropped to squares; the longer side is
    bounded by `LONGEST` times the size.
    """
    height, width = shape
    scale = min(size / min(height, width), LONGEST * size / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _resized(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    if grey.shape == (height, width):
        return grey
    # The filter that training images were made with.
    return np.asarray(
        Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    )


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    return grey if grey.dtype == np.uint8 else ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _run_plugin(folder: Path, config: ColorizerConfig, trust_code: bool) -> None:
    what = folder / PLUGIN if config.plugin == PLUGIN else f"the installed module {config.plugin}"
    if not trust_code:
        raise ModelError(
            f"The model's {folder / CONFIG} names a plug-in, and to load it would run {what} as a program; "
            "if you trust where the model comes from, give --trust-code (in Python: trust_code=True)."
        )
    load_plugin(str(what) if config.plugin == PLUGIN else config.plugin)


def _finite_weights(path: Path) -> dict[str, Tensor]:
    tensors = load_weights(path)[0]
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"The weights file {path} is damaged: {name} is not finite.")
    return tensors


def _load_describer(folder: Path, origin: str, features: str) -> nn.Module:
    describer = vgg16_describer(features, "random")
    if origin == "file":
        tensors = {name: tensor.float() for name, tensor in _finite_weights(folder / VGG16).items()}
        try:
            describer.load_state_dict(tensors)
        except RuntimeError as error:
            raise ModelError(f"{folder / VGG16} does not hold VGG16 as a model folder keeps it.") from error
    return describer


def _half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convolutions at half precision, at half the size; the normalisation (`mean`, `std`) as it is."""
    return {
        name: (tensor.half() if name.startswith("features.") else tensor).cpu().contiguous()
        for name, tensor in tensors.items()
    }
