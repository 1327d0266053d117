"""Photographs of all requests through one model, few at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import BinaryIO

from data_utils.errors import DataError
from data_utils.sent_photographs import Coloured, colour_sent, plain_name
from models.colorizer import Colorizer
from study.serve.limits import MEGA, Limits

_log = logging.getLogger(__name__)


class Colouring:
    """Answers every photograph by itself: with a picture, or with one sentence.

    Args:
        colorizer: The model, which threads share.
        limits: How large photographs may be, and how many are coloured at a time.
    """

    def __init__(self, colorizer: Colorizer, limits: Limits) -> None:
        self._colorizer = colorizer
        self._max_pixels = limits.megapixels * MEGA
        self._turn = asyncio.Semaphore(limits.at_once)

    async def answer(self, name: str, content: BinaryIO) -> Coloured | str:
        """Colour one file when it is its turn; a sentence if it cannot be coloured."""
        async with self._turn:
            return await asyncio.to_thread(self._colour, name, content)

    def _colour(self, name: str, content: BinaryIO) -> Coloured | str:
        try:
            return colour_sent(name, content, self._colorizer.colour, self._max_pixels)
        except DataError as error:
            return str(error)
        except MemoryError:
            return f"{plain_name(name)} is refused: there is not enough memory to colour it."
        except Exception:  # one photograph must not end the others' answers
            _log.exception("A photograph could not be coloured")
            return f"{plain_name(name)} could not be coloured; the server's terminal says why."
