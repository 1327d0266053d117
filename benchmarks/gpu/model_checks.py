"""Does a finished model do on a card what it does on a CPU? Coloured photographs, and what they are said to cost."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.gpu.checks import CPU, close, exactly
from benchmarks.gpu.day import Figures, WrongError
from benchmarks.synthetic import picture
from benchmarks.training_step import our_learner
from models.architectures import architecture
from models.settings import ModelSettings

NAME = "vggunet"  # takes the most: VGG16, and colours at half the size


def colorizer(width: int, size: int, device: torch.device) -> Figures:
    """A grey image of another shape than the model's, coloured on both: levels of 255 that the worst pixel is off."""
    from models.colorizer import Colorizer
    from models.colorizer_config import ColorizerConfig
    from models.vgg import vgg16_describer

    config = ColorizerConfig(architecture=NAME, width=width, image_size=size, vgg16="random")
    weights = our_learner(NAME, width, CPU).generator_tensors()
    grey = np.asarray(picture(2 * size, seed=0).convert("L"))[: size + size // 2]
    with exactly():
        found, expected = (
            Colorizer(config, weights, vgg16_describer("maps", "random"), where).colour(grey).astype(np.int16)
            for where in (device, CPU)
        )
    return close("levels", float(np.abs(found - expected).max()), 2.0)


def usage(width: int, size: int, device: torch.device) -> Figures:
    """What colouring one image costs: arithmetic as on the CPU, and more memory than the weights alone."""
    from models.usage import measure_usage

    settings = ModelSettings(width=width)
    found, expected = (measure_usage(architecture(NAME), settings, size, where) for where in (device, CPU))
    if (found.weights, found.multiply_adds) != (expected.weights, expected.multiply_adds):
        raise WrongError(
            f"{found.weights} weights and {found.multiply_adds} multiply-adds, on the CPU "
            f"{expected.weights} and {expected.multiply_adds}"
        )
    if found.peak_bytes <= 4 * found.weights:
        raise WrongError(f"{found.peak_bytes} bytes at most, fewer than {found.weights} weights take")
    return {"ms an image": found.milliseconds, "MiB": round(found.peak_bytes / 1024**2)}
