"""The plotting library as the page carries it."""

from __future__ import annotations

import base64
import gzip
from functools import cache


@cache
def packed_library() -> str:
    """Vega, Vega-Lite and Vega-Embed, minified, compressed with gzip and written as base64: about 0.4 MB.

    The browser unpacks it when the first figure comes into view; one that cannot shows the pictures. All three are
    published by the University of Washington's Interactive Data Lab under the BSD licence.
    """
    import vl_convert

    script = vl_convert.javascript_bundle()
    return base64.b64encode(gzip.compress(script.encode(), compresslevel=9, mtime=0)).decode()
