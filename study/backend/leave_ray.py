"""Leaving Ray."""

from __future__ import annotations

import gc


def leave_ray() -> None:
    """Leave Ray, with no garbage collection in between; nothing happens where Ray is not connected.

    An object reference that another thread's collector frees while Ray's worker goes away makes Ray end the process.
    """
    import ray

    gc.collect()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        gc.enable()
