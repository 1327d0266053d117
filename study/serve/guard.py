"""What every request passes first: who may ask, and how much may be sent."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from study.serve.limits import MEGA, Limits

TOO_LARGE = 413
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_FORBIDDEN = 403


def is_loopback(host: str) -> bool:
    """Whether an address to listen at is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Refuses foreign `Host` headers on loopback (DNS rebinding), and everywhere requests sent by other sites' pages.

    Args:
        app: What answers the rest.
        host: Where the server listens.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {*_LOOPBACK_NAMES, host} if is_loopback(host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else ""
        if refusal:
            await PlainTextResponse(refusal, _FORBIDDEN)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._names is not None and _name(host) not in self._names:
            return "This server answers at localhost alone; open it there, or start it with --host."
        if origin is not None and origin.partition("://")[2] != host:
            return "Pages of other sites may not send photographs to this server."
        return ""


class BodyLimit:
    """Refuses bodies by their announced length before they are read, and others while they are.

    Args:
        app: What answers the rest.
        limits: The bounds.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what the application reads."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        left = self._limits.megabytes * MEGA
        announced = dict(scope["headers"]).get(b"content-length", b"0")

        async def bounded() -> Message:
            nonlocal left
            if announced.isdigit() and int(announced) > self._limits.megabytes * MEGA:
                raise HTTPException(TOO_LARGE, self._limits.too_many_bytes)
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(TOO_LARGE, self._limits.too_many_bytes)
            return message

        await self._app(scope, bounded, send)


def _name(host: str) -> str:
    """`localhost` of `localhost:8000`; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
