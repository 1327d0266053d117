"""What the server takes at most, and the refusals that say so."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGA = 1_000_000
TOO_LARGE = 413
BUSY = 503


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Limits:
    """Bounds of one request and of all at a time.

    Attributes:
        files: Photographs in one request.
        megapixels: Of one photograph, in millions.
        megabytes: Of one request, in millions.
        at_once: Photographs that are coloured at a time.
        requests: Requests that are answered at a time, waiting ones included.
    """

    files: int = 20
    megapixels: int = 40
    megabytes: int = 100
    at_once: int = field(default_factory=cores)
    requests: int = 16

    @property
    def too_many_files(self) -> str:
        """Why a request with more files is refused."""
        return f"There are more than {self.files} photographs; send at most {self.files} at a time."

    @property
    def too_many_bytes(self) -> str:
        """Why a larger request is refused."""
        return f"The request has more than {self.megabytes} MB; send fewer or smaller photographs at a time."

    @property
    def busy(self) -> str:
        """Why one request too many is refused."""
        return f"{self.requests} requests are being answered already; try again in a moment."


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
