"""A study's plug-ins: what `models` counts as registered, and the layouts of images, which it does not know."""

from __future__ import annotations

from collections.abc import Iterable

from data_utils.layouts import known_layouts
from models import plugins


def _layouts() -> int:
    return len(known_layouts())


plugins.COUNTERS.append(_layouts)


def load_plugins(sources: Iterable[str]) -> None:
    """Load plug-ins, which may add to every table.

    Raises:
        ModelError: For a plug-in that cannot be loaded or registers nothing.
    """
    plugins.load_extensions(sources)
