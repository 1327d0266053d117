"""What README and documentation show is there: commands, links, files, figures; and the site builds."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
import torch

from models.metrics import delta_e_2000, rgb_to_lab
from study.cli.commands import commands
from study.launch import _parser as launch_parser
from study.settings.flags import nested_flags, split_flags
from study.settings.reference import settings_table
from study.settings.sources import preset_names
from tests.conftest import ROOT
from tests.support.document_runs import PageRun
from tests.support.document_shell import Shell
from tests.support.documents import (
    PAGES,
    README,
    ShownCommand,
    anchors,
    blocks,
    built_site,
    command_lines,
    links,
    name_of,
    shell_commands,
    spans,
)
from tests.support.servers import free_port

MOST_LINES = 120
PLACES = ("examples", "benchmarks", "results", "study", "data_utils", "models", "docs", "tests")


class Parsed(BaseException):
    """A command line was understood; nothing of the command itself has run."""


@pytest.fixture
def only_parse(monkeypatch):
    whole = argparse.ArgumentParser.parse_args

    def parse_args(self, *given, **named):
        whole(self, *given, **named)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)


@pytest.mark.parametrize(
    ("page", "command"), [pytest.param(*one, id=f"{one[0]}: {' '.join(one[1])}") for one in command_lines()]
)
def test_a_command_that_is_shown_is_understood(page, command, only_parse):
    module, *arguments = command
    if module == "study" and arguments and arguments[0] in commands():
        module, arguments = commands()[arguments[0]].module, arguments[1:]
    if module == "study.launch":
        check_settings(arguments)
    spec = importlib.util.find_spec(module)
    assert spec, f"{page}: there is no module {module}"
    runs = importlib.import_module(f"{module}.__main__" if spec.submodule_search_locations else module)
    if arguments:  # a command without arguments is only named
        with pytest.raises((Parsed, SystemExit)) as end:
            runs.main(arguments)
        assert end.type is Parsed or end.value.code == 0


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_shell_commands_are_found_where_they_stand(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    for one in shell_commands(page):
        assert one.text.split()[0] in lines[one.line - 1]


def test_commands_run_in_a_clone_and_share_variables_and_folder(tmp_path):
    shown = [
        "export WHERE=docs", 'cd "$WHERE"', "test -f index.md", "python -m study.schema --output s.json", "false",
        "pip install something",
    ]  # fmt: skip
    rows = []
    run = PageRun(Shell(tmp_path, {}), rows.append)
    for line, text in enumerate(shown):
        run.run(ShownCommand("page.md", line, text))
    assert [row.outcome for row in rows[:4]] == ["exit 0"] * 4
    assert (tmp_path / "clone" / "docs" / "s.json").is_file()
    assert (rows[4].outcome, rows[4].failed) == ("exit 1", True)
    assert (rows[5].outcome, rows[5].failed) == ("not run: installs from the network", False)


def test_a_server_is_asked_and_ended_as_with_ctrl_c(tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = Shell(tmp_path, {}).serve(f"python -m http.server --bind 127.0.0.1 {port}", address)
    assert server.first_sign() == f"{address} answered 200"
    assert server.end() in (0, 130)


def check_settings(arguments: list[str]) -> None:
    """Settings that are given as flags exist, and so does the preset."""
    own, flags = split_flags(arguments, launch_parser()._option_string_actions)
    nested_flags(flags)
    known = {name for name, _, _ in settings_table()}
    for flag in (word for word in flags if word.startswith("--")):
        name = re.sub(r"^datasets\.[^.]+", "datasets.NAME", flag[2:])
        assert name in known or name.rpartition(".")[0] in known, f"{flag} is no setting"
    if own and not own[0].startswith("-") and not own[0].endswith(".yaml"):
        assert own[0] in {*preset_names(), "PRESET"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_are_there(page):
    for span in spans(page):
        if re.fullmatch(rf"({'|'.join(PLACES)})/[\w./-]+", span):
            assert (ROOT / span).exists(), f"{span} is not there"
        if re.fullmatch(r"\w+-cpu\.json", span):
            assert (ROOT / "benchmarks" / "results" / span).is_file(), f"{span} is not there"


def test_code_that_is_shown_as_a_file_is_that_file():
    shown = [one for page in PAGES for one in blocks(page) if one.title]
    assert len(shown) >= 4
    for one in shown:
        assert one.text == (ROOT / one.title).read_text(encoding="utf-8"), f"{one.page}: {one.title}"


def test_the_readme_is_short_and_begins_with_the_two_commands():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    first = blocks(README)[0]
    assert [line.partition("#")[0].strip() for line in first.text.splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "running.md"], ids=name_of)
def test_every_preset_has_its_row(page):
    rows = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(preset_names()) <= set(rows)


def test_the_readme_leads_to_every_page():
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} - set(links(README)) == {
        "docs/index.md"
    }


def test_colour_differences_are_those_that_the_software_measures():
    text = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `#(\w{6})` \| `#(\w{6})` \| ([\d.]+) \|", text, re.MULTILINE)
    assert len(rows) >= 5
    for *pair, shown in rows:
        first, second = (
            rgb_to_lab(torch.tensor([*bytes.fromhex(one)]).view(1, 3, 1, 1) / 255) for one in pair
        )
        assert f"{float(delta_e_2000(first, second)):.1f}" == shown, pair


def targets() -> list[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()


def test_make_help_names_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in targets() if f"make {name}" not in shown] == []


def test_workflows_make_what_can_be_made():
    files = (ROOT / ".github" / "workflows").glob("*.yml")
    made = {
        name for file in files for name in re.findall(r"run: make (\w+)", file.read_text(encoding="utf-8"))
    }
    assert made == {"lint", "test", "docs", "latest"}
    assert made <= set(targets())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("site"))


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(site: Path):
    pages = sorted(site.glob("*.html"))
    assert {"index.html", "tutorial.html", "settings.html"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?([^\"\s>]+)", text)
        loaded += re.findall(r"<link[^>]*\shref=\"?([^\"\s>]+)", text)
        assert loaded
        assert [one for one in loaded if re.match(r"(https?:)?//", one)] == [], page.name
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?https?://", styles) == []
    assert (site / "search" / "search_index.js").is_file()
