"""Tables that are as they were when a test ends."""

import pytest

from models.registry import Table


def restored(monkeypatch: pytest.MonkeyPatch, *tables: Table) -> None:
    for table in tables:
        monkeypatch.setattr(table, "_entries", dict(table))
