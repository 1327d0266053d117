"""A cache of its own for each test, and the real photographs where there are any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder that holds dataset1 and dataset2."""
    folder = Path(os.environ.get("COLORIZATION_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "dataset1").is_dir() or not (folder / "dataset2").is_dir():
        pytest.skip(f"no photographs: {folder} has no dataset1 and dataset2 (set COLORIZATION_DATA)")
    return folder
