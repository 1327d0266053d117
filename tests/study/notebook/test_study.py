"""The interface for notebooks: frames that hold what the table and the report hold."""

import doctest
import io

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

import study
from models.metrics import OBJECTIVE
from study.comparison.csv_table import write_table, write_trials
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_study
from study.reporting.answer import answer
from tests.conftest import ROOT, FinishedStudy

NOTEBOOK = ROOT / "examples" / "study.ipynb"


@pytest.fixture(scope="module")
def read(whole) -> study.Study:
    return study.open("whole", tracking_uri=whole.uri)


def test_the_summary_is_the_exported_table(read, whole):
    text = write_table(whole.trivial, summarise_study(whole))
    exported = pd.read_csv(io.StringIO(text)).drop(columns="parameters")
    summary = read.summary().drop(columns="parameters").replace("", np.nan)
    pd.testing.assert_frame_equal(summary, exported, check_dtype=False)


def test_trials_and_finals_are_those_of_the_exported_trials(read, whole):
    exported = pd.read_csv(io.StringIO(write_trials(whole)))
    for frame, stage in ((read.trials, "search"), (read.finals, "final")):
        lines = exported[exported["stage"] == stage].reset_index(drop=True)
        shared = [name for name in lines if name in frame and name != "reason"]
        assert {"state", "learning_rate", "l1_weight", "generator_from", "best"} <= set(shared)
        pd.testing.assert_frame_equal(frame[shared], lines[shared], check_dtype=False)


def test_cells_count_their_trials(read):
    cells = read.cells.set_index(["dataset", "architecture"])
    assert len(cells) == 6
    assert (cells["trials"] == cells[["complete", "pruned", "failed"]].sum(axis=1)).all()
    assert cells.loc[("fruit", "cgan"), "failed"] == 1
    assert len(read.trials) == cells["trials"].sum()


def test_learning_curves_have_a_row_per_report(read, whole):
    curves = read.learning_curves()
    for trial in (whole.search("fruit", "unet")[0], whole.finals("scenes", "cgan")[1]):
        mine = curves.query(
            f"dataset == '{trial.dataset}' and architecture == '{trial.architecture}' and "
            f"role == '{trial.role}' and number == {trial.number}"
        )
        expected = whole.history(trial, f"validation/{OBJECTIVE}")
        assert list(zip(mine["epoch"], mine[f"validation/{OBJECTIVE}"], strict=True)) == expected
    assert read.learning_curves("validation/nothing").empty


def test_evaluations_of_images_average_to_the_finals_means(read):
    images = read.evaluations()
    means = images.groupby(["dataset", "architecture", "final"])[["psnr", OBJECTIVE]].mean()
    finals = read.finals.set_index(["dataset", "architecture", "number"])
    assert len(means) == len(finals) == 12
    for name in ("psnr", OBJECTIVE):
        assert means[name].to_numpy() == pytest.approx(finals[f"test/{name}"].loc[means.index].to_numpy())
    assert images["image"].nunique() == 12
    assert images["image"].iloc[0] == "Cucumber/0.jpg"


def test_verdicts_are_those_of_the_report(read, whole):
    evidence, verdicts = Evidence(whole), read.verdicts()
    pairs = [pair for name in ("fruit", "scenes") for pair in answer(evidence, name).pairs]
    assert list(zip(verdicts["lower"], verdicts["higher"], strict=True)) == [(one.a, one.b) for one in pairs]
    assert verdicts["p_value"].tolist() == [one.verdict.p_value for one in pairs]
    assert verdicts["verdict"].tolist() == [one.verdict.word for one in pairs]
    assert (verdicts["low"] <= verdicts["lower_by"]).all()
    assert (verdicts["lower_by"] <= verdicts["high"]).all()
    unet = read.finals.query("dataset == 'fruit' and architecture == 'unet'")[f"test/{OBJECTIVE}"].mean()
    cgan = read.finals.query("dataset == 'fruit' and architecture == 'cgan'")[f"test/{OBJECTIVE}"].mean()
    first = verdicts.iloc[0]
    assert (first["lower"], first["higher"]) == ("unet", "cgan")
    assert first["lower_by"] == pytest.approx(cgan - unet)


@pytest.mark.parametrize("name", ["unfinished", "failing", "lonely"])
def test_a_study_without_all_results_has_frames_with_the_same_columns(name, read, request):
    record = request.getfixturevalue(name)
    lacking = study.open(name, tracking_uri=record.uri)
    assert ("unfinished" in repr(lacking).partition(":")[2]) == (name == "unfinished")
    for part in ("cells", "trials", "finals"):
        found = set(getattr(lacking, part))
        assert {"dataset", "architecture", "epochs"} <= found <= set(getattr(read, part))
    assert set(lacking.verdicts()) == set(read.verdicts())
    assert set(lacking.summary()) == set(read.summary())
    assert {"dataset", "architecture", "final", "image"} <= set(lacking.evaluations())
    assert lacking.settings.name == name


def test_a_study_that_is_not_there_is_refused_with_a_sentence(tmp_path, whole):
    with pytest.raises(
        study.UsageError, match=r"^There is no study nobody in .*; there is no study there\.$"
    ) as one:
        study.open("nobody", home=tmp_path)
    assert one.value._render_traceback_() == [f"UsageError: {one.value}"]
    with pytest.raises(study.UsageError, match="has no study named nobody"):
        study.open("nobody", tracking_uri=whole.uri)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"settings": "nothing"}, "nothing is neither a preset"),
        ({"settings": {"name": "mine"}}, "datasets is not set"),
        ({"budget": {"trails": 4}}, r"Unknown setting budget\.trails \(did you mean budget\.trials\?\)"),
        ({"datasets": {"mine": {"root": "/nowhere"}}}, "/nowhere"),
        ({"name": "nobody", "resume": True}, "There is no study nobody"),
        ({"resume": True}, "--resume needs --name"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(tmp_path, arguments, sentence):
    with pytest.raises(study.UsageError, match=sentence):
        study.run(home=tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_report_needs_a_file_where_there_is_no_folder(read, tmp_path):
    with pytest.raises(study.UsageError, match="name a file"):
        read.report()
    assert read.report(tmp_path / "report.html").stat().st_size > 10_000


def test_the_examples_of_the_package_hold(tiny_study: FinishedStudy, monkeypatch):
    monkeypatch.chdir(tiny_study.home.parent)
    assert tiny_study.home.name == "runs"
    found = doctest.testmod(study, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.attempted > 10
    assert found.failed == 0


def test_a_champion_is_read_from_the_server_where_there_is_no_folder(tiny_study: FinishedStudy):
    record = tiny_study.record()
    grey = np.tile(np.linspace(0, 255, 70, dtype=np.uint8), (50, 1))
    elsewhere = study.open("tiny", tracking_uri=record.uri).colorizer()
    here = study.open("tiny", home=tiny_study.home).colorizer("fruit")
    assert np.array_equal(elsewhere.colour(grey), here.colour(grey))
    with pytest.raises(study.UsageError, match="no dataset scenes; it has fruit"):
        study.open("tiny", home=tiny_study.home).colorizer("scenes")


def test_the_example_notebook_runs_a_study_extends_it_and_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / "runs" / "notebook" / "report.html").is_file()
    shown = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))
    assert "grey copy" in shown
    assert "UsageError: There is no study nobody" in shown


def test_the_documentation_shows_what_the_notebook_runs():
    code = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    block = text.partition("```python\n")[2].partition("```")[0]
    lines = [line.partition("  #")[0].rstrip() for line in block.splitlines() if line.strip()]
    assert len(lines) >= 8
    assert [line for line in lines if line not in code] == []
