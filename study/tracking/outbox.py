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
DAMAGED = "damaged"
_BLOCK = 65536


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
        self._latest_time = self._cut_unfinished_line()

    def _cut_unfinished_line(self) -> int:
        """Cut the journal behind its last whole line, and give that line's time."""
        end = self._file.seek(0, os.SEEK_END)
        whole = self._line_start(end)
        if whole < end:
            self._file.truncate(whole)
        self._file.seek(start := self._line_start(whole - 1))
        last = _event(self._file.read(whole - start)) or {}
        return int(last.get("time", 0))

    def _line_start(self, end: int) -> int:
        """Where the line starts that goes on at `end`."""
        # From the end: the journal of ten thousand trials is not read to find its last line.
        while end > 0:
            start = max(0, end - _BLOCK)
            self._file.seek(start)
            if found := self._file.read(end - start).rfind(b"\n") + 1:
                return start + found
            end = start
        return 0

    @property
    def latest_time(self) -> int:
        """Time of the last event, in ms since 1970; 0 if there is none."""
        return self._latest_time

    def append(self, event: Event) -> None:
        """Add an event; it is on disk (for a killed process, not for a power cut) when this returns.

        Raises:
            StudyError: The disk is full, or the journal was removed.
        """
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                self._file.write(line)
                self._file.flush()
                self._latest_time = event.get("time", self._latest_time)
                removed = os.fstat(self._file.fileno()).st_nlink == 0
        except OSError as error:
            raise StudyError(
                f"The outbox {self._journal} cannot be written ({error.strerror}); "
                "free some space and go on with --resume."
            ) from error
        if removed:
            raise StudyError(
                f"The outbox {self._journal} was removed while the study ran; restore it, or go on with --resume, "
                "which records again what the ledger holds."
            )

    @property
    def delivered(self) -> int:
        """Bytes of the journal that were delivered."""
        if not self._mark.exists():
            return 0
        position, _, destination = self._mark.read_text().partition(" ")
        known = destination == self._destination and position.isdigit()
        # A journal that was replaced by a shorter one is delivered whole.
        return int(position) if known and int(position) <= self._journal.stat().st_size else 0

    def undelivered(self, most: int) -> tuple[list[Event], int]:
        """The next events, and the position behind them.

        Args:
            most: How many events at the most. In place of a damaged line stands an event that does `DAMAGED`, with the
                reason and the line.
        """
        position = self.delivered
        events: list[Event] = []
        with self._journal.open("rb") as file:
            file.seek(position)
            while len(events) < most and (line := file.readline()).endswith(b"\n"):
                events.append(_event(line) or self._damaged(line, position))
                position = file.tell()
        return events, position

    def _damaged(self, line: bytes, position: int) -> Event:
        with self._journal.open("rb") as file:
            number = file.read(position).count(b"\n") + 1
        reason = f"{self._journal}, line {number} is damaged"
        return {"do": DAMAGED, "reason": reason, "line": line.decode(errors="replace")}

    @property
    def opened(self) -> set[str]:
        """Runs whose opening was delivered."""
        refused = {event.get("run") for event in self.set_aside_events if event.get("do") == "open"}
        return self._runs("open", self.delivered) - refused

    @property
    def closed(self) -> set[str]:
        """Runs whose end stands in the journal, delivered or not."""
        return self._runs("close", self._journal.stat().st_size)

    def _runs(self, what: str, end: int) -> set[str]:
        """Runs to which something is done before a position of the journal."""
        mark, found = f'"do":"{what}"'.encode(), set()
        with self._journal.open("rb") as file:
            while file.tell() < end:
                line = file.readline()
                if mark in line and (event := _event(line)) and event.get("do") == what:
                    found.add(event["run"])
        return found

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
    def set_aside_events(self) -> list[Event]:
        """Events that were refused for good, each with its `reason`."""
        if not self.refused.is_file():
            return []
        return [json.loads(line) for line in self.refused.read_text(encoding="utf-8").splitlines() if line]

    def deliver_again(self) -> None:
        """Forget what was delivered and what was refused; the whole journal is to be delivered once more."""
        self.mark_delivered(0)
        self.refused.unlink(missing_ok=True)

    @property
    def empty(self) -> bool:
        """Whether everything was delivered or set aside."""
        return self._journal.is_file() and self.delivered >= self._journal.stat().st_size

    def close(self) -> None:
        """Close the journal's file."""
        self._file.close()


def _event(line: bytes) -> Event | None:
    """The event of a line of the journal; None if the line is damaged."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
