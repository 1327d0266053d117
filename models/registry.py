"""Tables of what can be chosen by a word and extended by plug-ins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Generic, Protocol, TypeVar

from models.errors import ModelError


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


class Table(Mapping[str, Entry], Generic[Entry]):
    """Entries of one kind by name, in order of registration.

    Args:
        kind: What an entry is called in messages, such as "sampler".
        entries: What comes with the software.

    Attributes:
        registered: How many entries plug-ins have added to all tables of this process.
    """

    registered: ClassVar[int] = 0

    def __init__(self, kind: str, entries: Iterable[Entry] = ()) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def register(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            ModelError: The name is taken.
        """
        if entry.name in self._entries:
            raise ModelError(f"The {self.kind} {entry.name!r} exists already; choose another name.")
        self._entries[entry.name] = entry
        Table.registered += 1

    def find(self, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            ModelError: There is none; the message lists those there are.
        """
        if name not in self._entries:
            raise ModelError(f"Unknown {self.kind} {name!r}; known are {', '.join(self)}.")
        return self._entries[name]
