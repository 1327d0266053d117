"""What the server takes at most, and the refusals that say so."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from data_utils.wording import counted

MEGA = 1_000_000


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
        return (
            f"There are more than {counted(self.files, 'photograph')}; send at most {self.files} at a time."
        )

    @property
    def too_many_bytes(self) -> str:
        """Why a larger request is refused."""
        return f"The request has more than {self.megabytes} MB; send fewer or smaller photographs at a time."

    @property
    def busy(self) -> str:
        """Why one request too many is refused."""
        return f"The server is busy with {counted(self.requests, 'request')}; try again in a moment."
