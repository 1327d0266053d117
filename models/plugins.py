"""Plug-ins: modules and files that add to the tables of what can be chosen, and how they travel to other machines."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from models.errors import ModelError
from models.metrics.perceptual import register_st_lpips
from models.registry import Table

COUNTERS: list[Callable[[], int]] = [lambda: Table.registered]
"""Each counts registrations; whoever has tables of another kind adds theirs."""


def load_extensions(plugins: Iterable[str]) -> None:
    """Load a study's plug-ins, and the perceptual metric where its package is installed; in every process, once.

    Raises:
        ModelError: For a plug-in that cannot be loaded.
    """
    register_st_lpips()
    for source in plugins:
        load_plugin(source)


def packed(plugins: Iterable[str]) -> dict[str, str | None]:
    """Plug-ins as they travel to other machines: a file as its text, an installed module by its name alone."""
    return {one: Path(one).read_text(encoding="utf-8") if one.endswith(".py") else None for one in plugins}


def load_packed(plugins: Mapping[str, str | None]) -> None:
    """Load, on any machine, what `packed` gave; that it registers something was seen where the study began.

    Raises:
        ModelError: For a plug-in that cannot be imported.
    """
    register_st_lpips()
    with TemporaryDirectory() as folder:
        for source, text in plugins.items():
            if text is None:
                _import_module(source)
            else:
                file = Path(folder) / Path(source).name
                file.write_text(text, encoding="utf-8")
                _import_file(file)


def load_plugin(source: str) -> None:
    """Import a module that registers something; loading it again changes nothing.

    Args:
        source: `package.module`, or the path of a Python file.

    Raises:
        ModelError: It cannot be imported, or registers nothing.
    """
    before, modules = _registrations(), set(sys.modules)
    module = _import_file(Path(source)) if source.endswith(".py") else _import_module(source)
    if module.__name__ not in modules and _registrations() == before:
        del sys.modules[module.__name__]
        raise ModelError(
            f"The plugin {source} registers nothing; it must call register(...) with an architecture, or "
            "register_metric, register_sampler, register_pruner, register_format or register_layout."
        )


def _registrations() -> int:
    return sum(count() for count in COUNTERS)


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
