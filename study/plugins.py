"""What a study measures and trains beyond what comes with the software."""

from __future__ import annotations

from collections.abc import Iterable

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
