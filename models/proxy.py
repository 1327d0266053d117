"""Which proxy the environment puts between this machine and a server."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


class Proxy(NamedTuple):
    """A proxy.

    Attributes:
        address: Its own, as it was given.
        variable: Of the environment, that names it.
    """

    address: str
    variable: str

    def __str__(self) -> str:
        return f"the proxy {self.address} that {self.variable} names"


def proxy_of(url: str) -> Proxy | None:
    """The proxy through which urllib and requests ask for an address; None if they ask the server itself.

    Args:
        url: Of a server, with its scheme.
    """
    parts, proxies = urlsplit(url), getproxies()
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    for kind in (parts.scheme, "all"):
        if kind in proxies:
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())
            variable = next((name for name in names if os.environ.get(name)), "the system")
            return Proxy(proxies[kind], variable)
    return None
