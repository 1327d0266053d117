"""What the documentation shows: its pages, links, code, and the command lines in it."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
        ROOT / "results" / "photographs" / "README.md",
    ]
)
_BLOCK = re.compile(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ENDS = ("|", ">", "&&", ";")
_OWN = ("study", "data_utils", "models", "benchmarks", "tests")


@dataclass(frozen=True)
class Shown:
    """A piece of code on a page: in `language`, under the name of the file that it is, if it is one."""

    page: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Shown]:
    """The fenced pieces of code of a page."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Shown(name_of(page), language, title, text) for language, title, text in found]


def spans(page: Path) -> list[str]:
    """The pieces of code within its sentences."""
    return _SPAN.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Where it leads to."""
    return _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs names them."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode() for one in headings]
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in plain}


def name_of(page: Path) -> str:
    """Its name in the repository."""
    return page.relative_to(ROOT).as_posix()


def command_lines() -> list[tuple[str, list[str]]]:
    """(page, module and arguments) of every command of this software that is shown, in blocks and sentences."""
    found = []
    for page in PAGES:
        shell = [line for one in blocks(page) if one.language == "sh" for line in _lines(one.text)]
        for line in [*shell, *spans(page)]:
            if command := _own_command(line):
                found.append((name_of(page), command))
    return found


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _own_command(line: str) -> list[str]:
    """Module and arguments, or nothing if another program is started."""
    try:
        words = [word for word in shlex.split(line, comments=True) if word != "…"]
    except ValueError:  # a sentence's apostrophe
        return []
    if words[:1] == ["docker"]:  # its image is called as the program is
        words = words[words.index("python") :] if "python" in words else []
    words = list(itertools.takewhile(lambda word: word not in _ENDS, words))
    if any("COMMAND" in word for word in words):  # stands for any
        return []
    for place, word in enumerate(words):
        program = word.rpartition("/")[2]
        if program == "slurm.sh" and place:
            return ["study.launch", *words[place + 1 :]]
        if program == "colorization-study" and words[place + 1 :]:
            return ["study", *words[place + 1 :]]
        if program == "python" and words[place + 1 : place + 2] == ["-m"]:
            module = words[place + 2]
            known = module.partition(".")[0] in _OWN and "…" not in module
            return words[place + 2 :] if known else []
    return []


def built_site(folder: Path) -> Path:
    """The documentation's site, built into a folder with every warning an error."""
    pytest.importorskip("material", reason="mkdocs-material is not installed (pip install -e '.[docs]')")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
