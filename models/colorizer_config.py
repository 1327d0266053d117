"""What a model folder says of itself, read as something that a stranger may have written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.definition import Architecture
from models.errors import ModelError
from models.hyperparameters import Choice, Parameters, Value

CONFIG = "config.json"
PLUGIN = "architecture.py"
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_WIDEST = 1024
_LARGEST = 8192


@dataclass(frozen=True)
class ColorizerConfig:
    """What a model folder must say besides the weights.

    Attributes:
        architecture: Its name.
        width: Channels of its first layer, 1 to 1024.
        image_size: Side of the square images it was trained on, in pixels, 1 to 8192; a multiple of its stride.
        vgg16: `file` (beside the weights), `random` (made again from their seed), or empty without vectors.
        plugin: Installed module that registers the architecture, or `architecture.py` beside the weights; empty
            for the built-in ones.
        origin: Where it comes from, for people: study, dataset, trial, scores.
        target: `rgb`, or `luma_kept`; see `models.settings.ModelSettings`.
        parameters: Hyperparameters that it was trained with, which may shape the network; else the textbook's.

    Raises:
        ModelError: A value is of another type or out of its range; the message names the key.
    """

    architecture: str
    width: int
    image_size: int
    vgg16: str = ""
    plugin: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=dict)
    target: str = "rgb"

    def __post_init__(self) -> None:
        for key in ("architecture", "vgg16", "plugin", "target"):
            if not isinstance(getattr(self, key), str):
                raise ModelError(f"{key} is {getattr(self, key)!r}, but must be a text")
        for key, most in (("width", _WIDEST), ("image_size", _LARGEST)):
            value = getattr(self, key)
            if type(value) is not int or not 1 <= value <= most:
                raise ModelError(f"{key} is {value!r}, but must be a whole number from 1 to {most}")
        if self.vgg16 not in ("", "file", "random"):
            raise ModelError(f"vgg16 is {self.vgg16!r}, but must be file, random or empty")
        module = _MODULE.fullmatch(self.plugin) and not self.plugin.endswith(".py")
        if self.plugin not in ("", PLUGIN) and not module:
            raise ModelError(
                f"plugin is {self.plugin!r}, but must be {PLUGIN} beside the weights or an installed package.module"
            )
        for key in ("origin", "parameters"):
            if not isinstance(getattr(self, key), Mapping):
                raise ModelError(f"{key} is {getattr(self, key)!r}, but must be a mapping")
        for name, value in self.parameters.items():
            if not _is_value(value):
                raise ModelError(f"parameters.{name} is {value!r}, but must be a text or a finite number")

    def parameters_for(self, definition: Architecture) -> dict[str, Value]:
        """The hyperparameters of the network: its own, else the textbook's.

        Raises:
            ModelError: The architecture cannot have such a value.
        """
        for name, value in self.parameters.items():
            kind = definition.search_space.get(name)
            fits = (
                kind.contains(value)
                if isinstance(kind, Choice)
                else kind is None or not isinstance(value, str)
            )
            if not fits:  # a study may have searched other ranges, but other options do not exist
                raise ModelError(f"The model's {name} is {value!r}, which {self.architecture} cannot have.")
        return {**definition.textbook, **self.parameters}


def _is_value(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return number or isinstance(value, str)


def read_config(path: Path) -> ColorizerConfig:
    """The checked `config.json` of a model folder.

    Raises:
        ModelError: It is missing, or not as it must be.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ModelError("it holds no mapping")
        if unknown := sorted(content.keys() - ColorizerConfig.__dataclass_fields__.keys()):
            raise ModelError(f"it has the unknown key {unknown[0]!r}")
        if missing := [key for key in ("architecture", "width", "image_size") if key not in content]:
            raise ModelError(f"it does not say {missing[0]}")
        return ColorizerConfig(**content)
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent} is no model folder: it has no {CONFIG}.") from error
    except (OSError, ValueError, RecursionError, ModelError) as error:
        raise ModelError(f"The model's {path} is damaged: {str(error).splitlines()[0]}.") from error
