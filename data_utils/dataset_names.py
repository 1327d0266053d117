"""Names of datasets that can be part of keys, paths and addresses, made from any folder name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST = 64
FALLBACK = "images"


def safe_name(source: str | Path) -> str:
    """Make a dataset name of letters, digits, ``.``, ``_`` and ``-`` from a folder's name.

    Accents are dropped and other characters become ``-``. A number of six digits or more, which storages take
    for a version, gets a word before it, and a name of which nothing is left becomes ``images``.

    Args:
        source: A folder (its last part counts) or a plain name.

    Returns:
        At most 64 characters that begin with a letter or digit. Names that are safe already are kept.
    """
    name = Path(source).name or Path(source).resolve().name
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    ascii_only = "".join(c for c in plain if not unicodedata.combining(c))
    joined = re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_only)[:LONGEST].strip("-._")
    if re.match(r"\d{6,}(\.|$)", joined):
        joined = f"{FALLBACK}-{joined}"[:LONGEST]
    return joined or FALLBACK


def safe_names(sources: Iterable[str | Path]) -> list[str]:
    """Name several folders; equal names (capitals aside) get ``-2``, ``-3`` and so on, in the order given."""
    taken: set[str] = set()
    names = []
    for source in sources:
        name = base = safe_name(source)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.lower())
        names.append(name)
    return names
