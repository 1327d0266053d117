"""Who a study is, whatever its name: drawn when it begins, kept in its folder, carried by everything it writes."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from study.errors import UsageError

_FILE = "identity.json"


@dataclass(frozen=True)
class Identity:
    """A study's identity.

    Attributes:
        key: 32 hexadecimal digits.
        adopted: It was drawn for a study that began before studies had identities; what it wrote then carries none.
    """

    key: str
    adopted: bool = False

    def owns(self, found: str | None) -> bool:
        """Whether something that carries the key `found` (None: no key) is this study's."""
        return self.adopted if found is None else found == self.key


NOBODY = Identity("", adopted=True)
"""In place of an identity where a study's parts are used without its folder."""


def new_identity(*, adopted: bool = False) -> Identity:
    """Draw an identity."""
    return Identity(uuid.uuid4().hex, adopted)


def read_identity(folder: Path) -> Identity | None:
    """The identity in a study's folder, None where there is none.

    Raises:
        UsageError: If the file is damaged.
    """
    path = folder / _FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Identity(str(content["key"]), bool(content["adopted"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"The study's identity {path} cannot be read; restore it from a copy of the study's folder."
        ) from None


def write_identity(folder: Path, identity: Identity) -> None:
    """Keep an identity in a study's folder, whole or not at all."""
    fresh = folder / f".{_FILE}"
    fresh.write_text(json.dumps(asdict(identity)), encoding="utf-8")
    os.replace(fresh, folder / _FILE)
