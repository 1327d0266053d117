"""What the documentation shows: its pages, links, code, and the command lines in it.

python -m tests.support.documents                            # lists the shell commands that a reader would type
python -m tests.support.documents --run [README.md …]        # runs them in clones, and says how each ended
"""

from __future__ import annotations

import argparse
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

README = ROOT / "README.md"
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
_PROGRAMS = r"python|pip|make|mlflow|optuna-dashboard|colorization-study|eval|docker|hf|ray"
_COMMAND = re.compile(rf"(?:\.venv/bin/)?(?:{_PROGRAMS}) [^:]+|\.venv/bin/\S+")
_OWN = ("study", "data_utils", "models", "benchmarks", "tests")


@dataclass(frozen=True)
class Shown:
    """A piece of code on a page: in `language`, under the name of the file that it is, if it is one."""

    page: str
    language: str
    title: str
    text: str


@dataclass(frozen=True)
class ShownCommand:
    """A shell command as a reader would type it, and the line of its page that it begins on."""

    page: str
    line: int
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
        shell = [command.text for command in _of_blocks(page)]
        for line in [*shell, *spans(page)]:
            if command := _own_command(line):
                found.append((name_of(page), command))
    return found


def shell_commands(page: Path) -> list[ShownCommand]:
    """Every command of a page's `sh` blocks and every whole one within its sentences, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    sentences = _BLOCK.sub(lambda block: re.sub(r"[^\n]", "", block[0]), text)  # the lines keep their numbers
    within = [
        ShownCommand(name_of(page), sentences.count("\n", 0, span.start()) + 1, " ".join(span[1].split()))
        for span in _SPAN.finditer(sentences)
        if _COMMAND.fullmatch(span[1])
    ]
    return sorted([*_of_blocks(page), *within], key=lambda command: command.line)


def _of_blocks(page: Path) -> list[ShownCommand]:
    text = page.read_text(encoding="utf-8")
    return [
        ShownCommand(
            name_of(page),
            text.count("\n", 0, block.start(3) + command.start()) + 1,
            re.sub(r"\s*\\\n\s*", " ", re.sub(r"\s+# .*", "", command[0])),
        )
        for block in _BLOCK.finditer(text)
        if block[1] == "sh"
        for command in re.finditer(r"^\S(?:.*\\\n)*.*$", block[3], re.MULTILINE)
    ]


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


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 done, 1 a command that was run ended otherwise than its page leads to expect."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.documents", description=__doc__)
    parser.add_argument(
        "--run",
        nargs="*",
        metavar="PAGE[:LINE]",
        help="run those of these pages, from that line on (default: all)",
    )
    chosen = parser.parse_args(arguments)
    pages = {name_of(page): shell_commands(page) for page in (README, *sorted((ROOT / "docs").rglob("*.md")))}
    if chosen.run is None:
        for command in itertools.chain(*pages.values()):
            print(f"{command.page}:{command.line}: {command.text}")
        return 0
    from tests.support.document_runs import run_pages

    wanted = []
    for one in chosen.run or pages:
        name, _, line = one.partition(":")
        if name not in pages or not (line or "1").isdecimal():
            parser.error(f"{one} is no page, or no line of one; pages are {', '.join(pages)}.")
        wanted.append([command for command in pages[name] if command.line >= int(line or 1)])
    return run_pages(wanted)


if __name__ == "__main__":
    sys.exit(main())
