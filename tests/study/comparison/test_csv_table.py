import csv
import io

import pytest

from study.comparison.csv_table import read_table, write_trials
from study.comparison.formats import FORMATS, render
from study.comparison.summary import summarise_study
from study.export import main
from study.tracking.record import StudyRecord


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_made_again_from_the_csv(whole: StudyRecord, tmp_path, capsys, form):
    table, summaries = tmp_path / "table.csv", summarise_study(whole)
    table.write_text(render(whole.trivial, summaries, "csv"), encoding="utf-8")
    assert main(["--from-csv", str(table), "--format", form]) == 0
    assert capsys.readouterr().out == render(*read_table(table), form)
    if form != "json":  # which holds the trivial predictions' metrics that no table shows, too
        assert render(*read_table(table), form) == render(whole.trivial, summaries, form)


def test_the_trials_as_csv_are_one_line_each_with_their_learning_curve(whole: StudyRecord):
    lines = list(csv.DictReader(io.StringIO(write_trials(whole))))
    assert len(lines) == len(whole.trials)
    for line, trial in zip(lines, whole.trials, strict=True):
        assert (line["stage"] == "final") == trial.final
        assert float(line["learning_rate"]) == trial.params["learning_rate"]
        assert len(line["validation_by_epoch"].split()) == len(whole.history(trial, "validation/ciede2000"))
