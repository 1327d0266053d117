"""Contestants beside the architectures."""

import csv
import io

import numpy as np
import pytest

from study.comparison.contestants import contestant_sentence, contestant_summaries, matches
from study.comparison.csv_table import read_table, write_evaluations, write_table
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_study
from study.comparison.table import table_rows
from study.reporting.page import render_page


def test_a_contestant_is_measured_on_the_images_that_it_has(contested):
    (row,) = contestant_summaries(Evidence(contested), "fruit")
    assert (row.architecture, row.external, row.trials) == ("other", True, 0)
    quantities = contested.contestant_evaluation("fruit", "other")
    assert row.test["ciede2000"].value == pytest.approx(float(np.mean(quantities["ciede2000"])))
    (cell,) = Evidence(contested).of("fruit")
    (match,) = matches(Evidence(contested), "fruit")
    assert match.lower_by.value == pytest.approx(
        float(np.mean(quantities["ciede2000"] - cell.scores()[:, quantities["index"]]))
    )


def test_tables_exports_and_report_say_that_it_was_not_trained_here(contested, tmp_path):
    summaries = summarise_study(contested)
    names = [row["model"] for row in table_rows(contested.trivial, summaries)]
    assert names[1] == "other (external, not trained here)"
    file = tmp_path / "table.csv"
    file.write_text(write_table(contested.trivial, summaries), encoding="utf-8")
    _, again = read_table(file)
    assert [one.external for one in again] == [False, True]
    lines = list(csv.DictReader(io.StringIO(write_evaluations(contested))))
    assert sum(line["role"] == "external" for line in lines) == 10
    assert "External, not trained here: other reaches" in contestant_sentence(
        Evidence(contested), "fruit", "unet"
    )
    page = render_page(contested)
    assert "other (external, not trained here)" in page
    assert "outside contestants" in page
