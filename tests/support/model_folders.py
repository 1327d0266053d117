"""Model folders made by hand, without a study."""

from __future__ import annotations

from pathlib import Path

from models.architectures import architecture, seeded_build
from models.colorizer import Colorizer
from models.colorizer_config import ColorizerConfig
from models.settings import ModelSettings
from models.vgg import vgg16_describer
from tests.support.synthetic import CPU


def make_model(folder: Path, name: str = "unet", **origin: object) -> Path:
    """Write a model of width 4 for 32 pixels; its colours are noise."""
    definition = architecture(name)
    learner = seeded_build(definition, ModelSettings(width=4), definition.textbook, CPU, 0)
    vgg16 = "random" if definition.features else ""
    config = ColorizerConfig(name, 4, 32, vgg16=vgg16, origin=origin)
    describer = vgg16_describer(definition.features, "random") if definition.features else None
    Colorizer(config, learner.generator_tensors(), describer, CPU).save(folder)
    return folder
