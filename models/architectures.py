"""The registry of architectures: three built in, more by plugin.

Example of a plugin, `my_model.py`:

    from models.architectures import Architecture, Float, register

    register(Architecture(name="mine", build=..., search_space={"learning_rate": Float(1e-5, 1e-2)},
                          textbook={"learning_rate": 1e-3}, stride=8))
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import torch

from models.builtin import CGAN, KOALARIZATION, UNET
from models.definition import Architecture, Choice, Float, Parameters
from models.errors import ModelError
from models.learner import Learner
from models.metrics.table import ADDED
from models.settings import ModelSettings

__all__ = [
    "Architecture",
    "Choice",
    "Float",
    "architecture",
    "known",
    "load_plugin",
    "register",
    "seeded_build",
]

_registry: dict[str, Architecture] = {one.name: one for one in (KOALARIZATION, UNET, CGAN)}


def register(architecture: Architecture) -> None:
    """Make an architecture known by its name.

    Raises:
        ModelError: The name is taken.
    """
    if architecture.name in _registry:
        raise ModelError(
            f"There is already an architecture named {architecture.name!r}; choose another name."
        )
    _registry[architecture.name] = architecture


def architecture(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        ModelError: There is none; the message lists those there are.
    """
    if name not in _registry:
        raise ModelError(f"Unknown architecture {name!r}; known are {', '.join(known())}.")
    return _registry[name]


def known() -> tuple[str, ...]:
    """Names of all architectures, in order of registration."""
    return tuple(_registry)


def load_plugin(source: str) -> None:
    """Import a module that registers architectures or metrics; loading it again changes nothing.

    Args:
        source: `package.module`, or the path of a Python file.

    Raises:
        ModelError: It cannot be imported, or registers nothing.
    """
    before = {*known(), *ADDED}
    module = _import_file(Path(source)) if source.endswith(".py") else _import_module(source)
    parts = [one.build for one in _registry.values()] + list(ADDED.values())
    if {*known(), *ADDED} == before and not any(part.__module__ == module.__name__ for part in parts):
        raise ModelError(
            f"The plugin {source} registers neither architecture nor metric; it must call register(...) or "
            "register_metric(...)."
        )


def seeded_build(
    architecture: Architecture,
    settings: ModelSettings,
    parameters: Parameters,
    device: torch.device,
    seed: int,
) -> Learner:
    """Build a learner whose initial weights depend on the seed alone: not on device or history.

    Raises:
        ModelError: A hyperparameter is missing or unknown.
    """
    if set(parameters) != set(architecture.search_space):
        expected = ", ".join(architecture.search_space)
        raise ModelError(
            f"{architecture.name} has the hyperparameters {expected}; given were {', '.join(parameters)}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return architecture.build(settings, parameters, device)


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModelError:
        raise
    except Exception as error:  # a plugin is the user's program and may fail in any way
        raise ModelError(f"The plugin {name} cannot be imported: {type(error).__name__}: {error}.") from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ModelError(f"The plugin {path} does not exist; give the path of a Python file.")
    name = f"architecture_plugin_{path.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(path.resolve()):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise ModelError(f"The plugin {path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # as above
        del sys.modules[name]
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"The plugin {path} cannot be imported: {type(error).__name__}: {error}.") from error
    return module
