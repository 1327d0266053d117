"""Export formats: chosen by word or by the file's suffix, and added by a plug-in."""

import pytest

from study.comparison.csv_table import write_table
from study.comparison.formats import FORMATS
from study.comparison.summary import summarise_study
from study.export import main
from study.tracking.record import StudyRecord
from tests.conftest import ROOT
from tests.support.tables import restored


@pytest.fixture
def table(whole: StudyRecord, tmp_path):
    """A table that was exported as CSV."""
    file = tmp_path / "table.csv"
    file.write_text(write_table(whole.trivial, summarise_study(whole)), encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    restored(monkeypatch, FORMATS)


def test_an_unknown_format_is_refused_with_the_known_ones(table, capsys):
    assert main(["--from-csv", str(table), "--format", "excel"]) == 2
    assert "excel" in (answer := capsys.readouterr().err)
    assert "csv, markdown, latex, json" in answer


@pytest.mark.parametrize(
    ("suffix", "beginning"), [(".tex", r"\documentclass"), (".json", "["), (".txt", "|")]
)
def test_the_files_suffix_chooses_the_format(table, tmp_path, suffix, beginning):
    output = tmp_path / f"made{suffix}"
    assert main(["--from-csv", str(table), "--output", str(output)]) == 0
    assert output.read_text(encoding="utf-8").startswith(beginning)


def test_a_word_wins_over_the_suffix(table, tmp_path):
    output = tmp_path / "made.tex"
    assert main(["--from-csv", str(table), "--format", "json", "--output", str(output)]) == 0
    assert output.read_text(encoding="utf-8").startswith("[")


def test_a_plugin_adds_a_format(table, tmp_path):
    output, plugin = tmp_path / "made.html", str(ROOT / "examples" / "html_table.py")
    assert main(["--from-csv", str(table), "--plugin", plugin, "--output", str(output)]) == 0
    page = output.read_text(encoding="utf-8")
    assert page.count("<tr>") == 1 + 6 + 8
    assert "koalarization" in page


def test_a_metric_that_was_registered_later_is_in_the_csv(whole, monkeypatch):
    from models.metrics import METRICS, Metric

    restored(monkeypatch, METRICS)
    METRICS.register(Metric("late", "lower", "", 2, "a plug-in's"))
    header = write_table(whole.trivial, summarise_study(whole)).splitlines()[0]
    assert "late,late_low,late_high" in header


NAME = r"=1+1|$\input{/etc/passwd}$"


def test_cells_of_a_table_run_nothing(table, capsys):
    table.write_text(table.read_text().replace("\nfruit,", f"\n{NAME},"))
    shown = {}
    for form in ("csv", "markdown", "latex"):
        assert main(["--from-csv", str(table), "--format", form]) == 0
        shown[form] = capsys.readouterr().out
    assert f"\n'{NAME}," in shown["csv"]
    assert r"| =1+1\|$\input{/etc/passwd}$ |" in shown["markdown"]
    assert r"=1+1|\$\textbackslash{}input\{/etc/passwd\}\$ &" in shown["latex"]
    table.write_text(shown["csv"])
    assert main(["--from-csv", str(table), "--format", "csv"]) == 0
    assert capsys.readouterr().out == shown["csv"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("\n", "\0\n"),
        lambda text: text + "x" * 200_000,
        lambda text: text.replace("{", "[" * 100_000 + "{", 1),
        lambda text: text.replace(",", ";"),
        lambda text: "\n".join(f"{line},too,much" for line in text.splitlines()),
        lambda text: text.replace("grey copy", "white"),
    ],
)
def test_a_damaged_table_is_one_sentence_or_is_read(table, capsys, damage):
    table.write_text(damage(table.read_text()))
    code = main(["--from-csv", str(table)])
    told = capsys.readouterr().err
    refused = ("is not a table of this software", "export it again, with this version")
    assert (code, told) == (0, "") or (code == 2 and any(one in told for one in refused))
