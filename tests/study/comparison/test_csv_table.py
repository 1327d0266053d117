import csv
import io
from dataclasses import replace

import pytest

from models.metrics import METRICS, Metric
from study.comparison.csv_table import read_table, write_trials
from study.comparison.formats import FORMATS, render
from study.comparison.summary import summarise_study
from study.export import main
from study.statistics import Interval
from study.tracking.record import StudyRecord
from tests.support.tables import restored


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_made_again_from_the_csv(whole: StudyRecord, tmp_path, capsys, form):
    table, summaries = tmp_path / "table.csv", summarise_study(whole)
    table.write_text(render(whole.trivial, summaries, "csv"), encoding="utf-8")
    assert main(["--from-csv", str(table), "--format", form]) == 0
    assert capsys.readouterr().out == render(*read_table(table), form)
    if form != "json":  # which holds the trivial predictions' metrics that no table shows, too
        assert render(*read_table(table), form) == render(whole.trivial, summaries, form)


def test_a_table_of_another_version_is_refused_by_the_column_that_it_lacks(
    whole: StudyRecord, tmp_path, capsys
):
    written = render(whole.trivial, summarise_study(whole), "csv")
    table = tmp_path / "table.csv"
    table.write_text(written.replace("final_epochs", "epochs_then", 1), encoding="utf-8")
    assert main(["--from-csv", str(table)]) == 2
    assert f"{table} lacks final_epochs; export it again, with this version" in capsys.readouterr().err


def test_a_metric_of_a_plug_in_is_in_the_csv_and_read_without_the_plug_in(
    whole: StudyRecord, tmp_path, monkeypatch
):
    interval = Interval(0.25, 0.2, 0.3, "architecture", "made up")
    summaries = [
        replace(one, test={**one.test, "late": interval, "kept_late": interval})
        for one in summarise_study(whole)
    ]
    with monkeypatch.context() as plugin:
        restored(plugin, METRICS)
        METRICS.register(Metric("late", "lower", "", 3, "registered after the import"))
        written = render(whole.trivial, summaries, "csv")
    assert {"late", "late_low", "kept_late_high"} <= set(written.splitlines()[0].split(","))
    table = tmp_path / "table.csv"
    table.write_text(written, encoding="utf-8")
    assert render(*read_table(table), "csv") == written


def test_the_trials_as_csv_are_one_line_each_with_their_learning_curve(whole: StudyRecord):
    lines = list(csv.DictReader(io.StringIO(write_trials(whole))))
    assert len(lines) == len(whole.trials)
    for line, trial in zip(lines, whole.trials, strict=True):
        assert (line["stage"] == "final") == trial.final
        assert float(line["learning_rate"]) == trial.params["learning_rate"]
        assert len(line["validation_by_epoch"].split()) == len(whole.history(trial, "validation/ciede2000"))
