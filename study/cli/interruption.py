"""Ctrl+C and SIGTERM: the first ends a study in an orderly way, the second at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130


class Interruption:
    """Answers SIGINT and SIGTERM alike.

    The first raises `KeyboardInterrupt` wherever the driver is; the ledger survives a kill, so no place is a wrong
    one. A second one, while Ray is being shut down, leaves the process; Ray's own processes end with it.

    Args:
        last_words: What is printed before the process is left.
    """

    def __init__(self, last_words: Callable[[], str]) -> None:
        self._last_words = last_words
        self._again = False
        self.install()

    def install(self) -> None:
        """Answer from now on; again after something else, such as Ray, has set answers of its own."""
        signal.signal(signal.SIGINT, self._answer)
        signal.signal(signal.SIGTERM, self._answer)

    def _answer(self, _number: int, _frame: FrameType | None) -> None:
        if self._again:
            os.write(sys.stdout.fileno(), f"\n{self._last_words()}\n".encode())
            os._exit(INTERRUPTED)
        self._again = True
        raise KeyboardInterrupt


def leave(code: int) -> NoReturn:
    """Exit; at once after an interruption, since the threads of Ray and MLflow take seconds to wind down."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code == INTERRUPTED:
        os._exit(code)
    sys.exit(code)
