"""The plotting library as the page carries it."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from importlib.metadata import version

import numpy as np

from data_utils import CacheError, cached_arrays, default_cache


@cache
def packed_library() -> str:
    """Vega, Vega-Lite and Vega-Embed, minified, compressed with gzip and written as base64: about 0.4 MB.

    The browser unpacks it when the first figure comes into view; one that cannot shows the pictures. All three are
    published by the University of Washington's Interactive Data Lab under the BSD licence. Since it takes seconds to
    put them together, what was made is kept in the user's cache folder, where that can be written.
    """
    key = f"plotting-library-{version('vl-convert-python')}"
    try:
        found = cached_arrays(default_cache(), key, _packed)
    except CacheError:
        found = _packed()
    return found["base64"].tobytes().decode()


def _packed() -> dict[str, np.ndarray]:
    import vl_convert

    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets that the snippet may be left out
    packed = gzip.compress(script.encode(), compresslevel=9, mtime=0)
    return {"base64": np.frombuffer(base64.b64encode(packed), dtype=np.uint8)}
