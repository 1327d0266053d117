"""The layout that CONTRIBUTING describes: rooms, their sizes, and tests that mirror them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("study", "models", "data_utils")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ROOMS = sorted({path.parent for path in FILES})
LONGEST_FILE = 250
MOST_MODULES = 12


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_short_and_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(text))
    assert not path.name.startswith("test_")
    assert not path.stem.endswith("_test")


@pytest.mark.parametrize("room", [room for room in ROOMS if room.is_relative_to(ROOT / "study")], ids=name_of)
def test_a_room_of_study_has_a_face_and_few_modules(room):
    modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    description = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert description
    if room not in (ROOT / "study", ROOT / "study" / "statistics"):
        assert "May import" in description


def test_tests_lie_in_rooms_that_exist():
    folders = {path.parent for package in PACKAGES for path in (ROOT / "tests" / package).rglob("test_*.py")}
    rooms = {ROOT / folder.relative_to(ROOT / "tests") for folder in folders}
    assert {name_of(room) for room in rooms} <= {name_of(room) for room in ROOMS}
