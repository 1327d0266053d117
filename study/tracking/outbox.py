"""What the tracking server still has to be told: an append-only journal on disk.

Results are written here first and delivered from here, so a server that is away delays them and loses nothing. One
process appends; the position up to which everything was delivered is kept beside the journal.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from study.errors import StudyError

Event = dict[str, Any]


class Outbox:
    """A journal of events, one JSON object a line.

    Args:
        folder: Made if it is not there. A line that a crash left unfinished is cut off.
        destination: Whom events are delivered to; another one than before gets everything from the beginning.
    """

    def __init__(self, folder: Path, destination: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._destination = destination
        self._journal = folder / "journal.jsonl"
        self._mark = folder / "delivered"
        self._lock = threading.Lock()
        self._file = self._journal.open("a+b")
        self._cut_unfinished_line()

    def _cut_unfinished_line(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)

    def append(self, event: Event) -> None:
        """Add an event; it is on disk (for a killed process, not for a power cut) when this returns."""
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                self._file.write(line)
                self._file.flush()
        except OSError as error:
            raise StudyError(
                f"The outbox {self._journal} cannot be written ({error.strerror}); "
                "free some space and go on with --resume."
            ) from error

    @property
    def delivered(self) -> int:
        """Bytes of the journal that were delivered."""
        if not self._mark.exists():
            return 0
        position, _, destination = self._mark.read_text().partition(" ")
        return int(position) if destination == self._destination else 0

    def undelivered(self, most: int) -> tuple[list[Event], int]:
        """The next events, and the position behind them.

        Args:
            most: How many events at the most.
        """
        position = self.delivered
        events: list[Event] = []
        with self._journal.open("rb") as file:
            file.seek(position)
            while len(events) < most and (line := file.readline()).endswith(b"\n"):
                events.append(json.loads(line))
                position = file.tell()
        return events, position

    def mark_delivered(self, position: int) -> None:
        """Remember that everything before `position` was delivered."""
        fresh = self._mark.with_suffix(".new")
        fresh.write_text(f"{position} {self._destination}")
        os.replace(fresh, self._mark)

    @property
    def refused(self) -> Path:
        """Events that the tracking server will never take, each with its reason."""
        return self._journal.with_name("refused.jsonl")

    def set_aside(self, event: Event, reason: str) -> None:
        """Keep an event that was refused for good."""
        with self.refused.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"reason": reason, **event}) + "\n")

    @property
    def empty(self) -> bool:
        """Whether everything was delivered."""
        return self.delivered >= self._journal.stat().st_size

    def close(self) -> None:
        """Close the journal's file."""
        self._file.close()
