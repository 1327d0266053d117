"""The page as its reader has it: numbers, sections, and nothing from anywhere else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from study.comparison.formats import render
from study.comparison.summary import summarise_study
from study.comparison.table import HEADINGS, table_rows
from study.report import main
from study.reporting.interactive.run_pages import LOCAL_PAGES
from study.reporting.page import COST, QUALITY, USE, render_page, write_report
from study.tracking.names import REPORT, STUDY_RUN
from study.tracking.record import StudyRecord


class Page(HTMLParser):
    """Text of table cells, addresses, and whether tags are balanced."""

    VOID = frozenset({"img", "meta", "link", "input", "br", "wbr", "path", "use", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")
        ]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def cells(self) -> list[list[str]]:
        """Text with the hyphens that exports have for minus signs."""
        return [[" ".join(cell.split()).replace("−", "-") for cell in row] for row in self.rows]


@pytest.fixture(scope="session")
def pages(whole, lonely, failing, unfinished) -> dict[str, str]:
    return {record.name: render_page(record) for record in (whole, lonely, failing, unfinished)}


@pytest.mark.parametrize("name", ["whole", "lonely", "failing", "unfinished"])
def test_the_page_needs_nothing_but_itself(pages, name):
    text = pages[name]
    page = Page(text)
    assert page.open == []
    own = [one for one in page.addresses if not one.startswith(f"{LOCAL_PAGES}/#/experiments/")]
    assert all(address.startswith(("data:", "#")) for address in own)
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S).replace(LOCAL_PAGES, "")
    assert not re.search(r"https?://|file:|sqlite:|url\((?!#)|@import|src=\"//", markup)
    pictures = sum(map(len, re.findall(r'"(data:image[^"]*)"', text)))
    assert len(text) - pictures < 2_000_000


def test_the_numbers_are_those_of_the_exports(whole: StudyRecord, pages):
    rows = Page(pages["whole"]).cells
    summaries = summarise_study(whole)
    for row in table_rows(whole.trivial, summaries):
        quality = [row.get(column, "") for column in QUALITY]
        assert quality in rows
        if not row["model"].startswith("("):
            for columns in (COST, USE):
                assert [row.get(column, "") for column in columns] in rows
    shown = [cell for row in rows for cell in row]
    for one in json.loads(render(whole.trivial, summaries, "json")):
        objective = one["test"]["ciede2000"]
        assert f"{objective['mean']:.2f} [{objective['low']:.2f}, {objective['high']:.2f}]" in shown
    assert {*QUALITY, *COST, *USE, "dataset"} == set(HEADINGS)


def test_sections_come_in_order_and_the_answer_first(pages):
    found = re.findall(r'<section id="(\w+)"', pages["whole"])
    before = ["answer", "summary", "samples", "losses", "categories"]
    assert found == [*before, "diagnostics", "search", "budgets", "method", "reproducibility", "caveats"]


def test_the_answer_names_the_best_architecture_with_numbers(pages):
    answer = pages["whole"].partition('id="summary"')[0]
    assert "colours fruit best" in answer
    assert "The mean ΔE₀₀ of unet is" in answer
    assert "over 2 seeds and 12 test images" in answer


def test_energy_is_shown_where_devices_reported_it(pages):
    budgets = {
        name: text.partition('id="budgets"')[2].partition("</section>")[0] for name, text in pages.items()
    }
    rows = Page(budgets["whole"]).cells
    column = rows[0].index("Wh")
    # A complete trial and two finals of four seconds at 360 W each, and a pruned trial of two.
    assert [row[column] for row in rows if row[0] == "unet"] == ["1.4", "1.4"]
    assert "Wh" not in budgets["lonely"]


def test_hostile_names_stay_text(pages):
    assert "bad&lt;b&gt;.jpg" in pages["whole"]
    assert "bad<b>" not in pages["whole"]


def test_caveats_say_what_limits_the_conclusions(pages):
    caveats = pages["whole"].partition('id="caveats"')[2]
    for words in (
        "no photographs",
        "random (seed 0, not pretrained)",
        "same trained generator",
        "A note for readers.",
        "fruit/cgan: 1 of 9 trials failed",
        "60 of 80 images",
        "1 file refused",
        "plausible, not historical",
        "best epoch was its last",
    ):
        assert words in caveats


def test_one_cell_of_one_replicate_speaks_of_its_configuration_alone(pages):
    text = pages["lonely"]
    assert "With a single replicate they speak of these configurations alone" in text
    assert "One seed only in fruit/unet" in text
    assert "stored no pictures" in text
    assert "Pairs of architectures" not in text


def test_a_failed_cell_and_no_finals(pages):
    text = pages["failing"]
    assert "There is no answer yet" in text
    assert "fruit/unet: no trial is complete" in text
    assert "diverged: loss is nan at epoch 2" in text
    assert "not finished" not in text


def test_drawn_data_and_random_weights_are_said_before_the_first_number(pages):
    top = pages["whole"].partition("<nav")[0]
    assert "The images of fruit and scenes are drawn by a program" in top
    assert "random VGG16 weights" in top


def test_an_unfinished_study_says_so_at_the_top(pages):
    top = pages["unfinished"].partition("<nav")[0]
    assert "not finished: 1 trial of the search complete, 1 running" in top


def test_the_report_is_written_and_logged(lonely: StudyRecord, tmp_path):
    path = write_report(lonely, tmp_path / "deep" / "report.html")
    run = lonely.run_id(STUDY_RUN)
    assert run
    assert lonely.download(run, REPORT, tmp_path).read_text() == path.read_text()


def test_the_command_works_with_the_servers_address_alone(lonely: StudyRecord, tmp_path, capsys):
    output = tmp_path / "here.html"
    assert main(["--name", "lonely", "--tracking-uri", lonely.uri, "--output", str(output)]) == 0
    assert output.read_text().startswith("<!doctype html>")
    assert "Wrote" in capsys.readouterr().out
    assert main(["--name", "nobody", "--tracking-uri", lonely.uri, "--output", str(output)]) == 2
    assert "no study named nobody" in capsys.readouterr().err
