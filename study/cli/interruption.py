"""Ctrl+C and SIGTERM: the first ends a study in an orderly way, the second at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Answers SIGINT and SIGTERM alike, as long as its context lasts.

    The first raises `KeyboardInterrupt` wherever the driver is; the ledger survives a kill at any place. A second
    one, while Ray is being shut down, ends the process; Ray's own processes end with it.

    Args:
        last_words: What is printed before the process ends.
        second_signal_ends: Else a second signal, too, raises `KeyboardInterrupt`: a notebook's process stays.
    """

    def __init__(self, last_words: Callable[[], str], second_signal_ends: bool = True) -> None:
        self._last_words = last_words
        self._second_signal_ends = second_signal_ends
        self._again = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self._set(self._before)

    def install(self) -> None:
        """Answer from now on; again after something else, such as Ray, has set answers of its own."""
        self._set(dict.fromkeys(_SIGNALS, self._answer))

    @staticmethod
    def _set(answers: dict[int, Any]) -> None:
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            for number, answer in answers.items():
                signal.signal(number, answer)

    def _answer(self, _number: int, _frame: FrameType | None) -> None:
        if self._again and self._second_signal_ends:
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
