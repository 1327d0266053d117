"""The published study: what its page says follows from the exported files beside it."""

import lzma
import runpy
import subprocess
import sys

import pytest
import yaml

from models.metrics import KEPT, METRICS
from study.comparison.control import control_sentence
from study.comparison.csv_table import write_evaluations, write_trials
from study.comparison.finals import Evidence
from study.comparison.pairs import compare_pairs
from study.comparison.summary import metric_interval
from study.reporting.diagnostics.pictures import image_diagnoses
from tests.conftest import ROOT

FOLDER = ROOT / "results" / "photographs"


@pytest.fixture
def exported(replicated, tmp_path, monkeypatch):
    monkeypatch.setattr(type(replicated), "looks", ())
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(replicated.settings), encoding="utf-8")
    (tmp_path / "trials.csv").write_text(write_trials(replicated), encoding="utf-8")
    with lzma.open(tmp_path / "evaluations.csv.xz", "wt", encoding="utf-8") as file:
        file.write(write_evaluations(replicated))
    return runpy.run_path(str(FOLDER / "exported.py"))["ExportedStudy"](tmp_path)


def test_a_study_is_read_back_from_its_exported_files(replicated, exported):
    whole, again = Evidence(replicated), Evidence(exported)
    assert control_sentence(again, "fruit") == control_sentence(whole, "fruit") != ""
    assert compare_pairs(again, "fruit") == compare_pairs(whole, "fruit")
    assert image_diagnoses(again) == image_diagnoses(whole)
    for key, cell in whole.cells.items():
        for name in (prefix + metric for prefix in ("", KEPT) for metric in METRICS):
            assert metric_interval(again.cells[key], name) == metric_interval(cell, name)


def test_page_and_figures_are_what_the_files_give():
    made = subprocess.run(
        [sys.executable, "make.py", "--check"],
        cwd=FOLDER,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
