"""What the model tests share: tiny learners, and the real VGG16 file where there is one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.architectures import architecture, seeded_build
from models.learner import Learner
from models.settings import ModelSettings, Recipe
from tests.support.synthetic import CPU

VGG_FILE = "vgg16_features_imagenet_fp16.safetensors"


@pytest.fixture
def build() -> Callable[..., Learner]:
    def make(
        name: str,
        seed: int = 0,
        width: int = 4,
        gan_loss: str = "probability",
        target: str = "rgb",
        recipe: Recipe | None = None,
        **changed: float | str,
    ) -> Learner:
        one = architecture(name)
        settings = ModelSettings(width=width, gan_loss=gan_loss, target=target, recipe=recipe or Recipe())
        return seeded_build(one, settings, {**one.textbook, **changed}, CPU, seed)

    return make


@pytest.fixture
def vgg_file() -> Path:
    fallback = Path(__file__).parents[2].parent / "shared" / "weights"
    path = Path(os.environ.get("COLORIZATION_WEIGHTS", fallback)) / VGG_FILE
    if not path.is_file():
        pytest.skip(f"{path} is absent; set COLORIZATION_WEIGHTS to the folder that holds {VGG_FILE}")
    return path
