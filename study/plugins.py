"""What a study measures and trains beyond what comes with the software."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from models.architectures import load_plugin
from models.metrics.perceptual import register_st_lpips


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
    """Load, on any machine, what `packed` gave.

    Raises:
        ModelError: For a plug-in that cannot be loaded.
    """
    load_extensions(source for source, text in plugins.items() if text is None)
    with TemporaryDirectory() as folder:
        for source, text in plugins.items():
            if text is not None:
                file = Path(folder) / Path(source).name
                file.write_text(text, encoding="utf-8")
                load_plugin(str(file))
