"""The last words of a study: the summary table, and where to look further."""

from __future__ import annotations

from rich.console import Console

from study.config import StudySettings
from study.home import StudyHome


def conclude(settings: StudySettings, home: StudyHome, delivered: bool, console: Console) -> int:
    """Print."""
    return 0
