"""What makes a sampler or a pruner: given as it is, or by its address."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any


def factory(make: Callable[..., Any] | str) -> Callable[..., Any]:
    """The function itself, imported now if `make` is its address `module:function`."""
    return pkgutil.resolve_name(make) if isinstance(make, str) else make
