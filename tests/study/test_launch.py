"""A real study through the command line, on real Ray, SQLite and MLflow: what it leaves behind."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from study.driver.closing_summary import commands
from study.tracking.names import KEY_TAG, STATUS
from tests.conftest import ROOT, FinishedStudy, run_module

CELLS = ("fruit/koalarization", "fruit/unet", "fruit/cgan")


@pytest.fixture(scope="session")
def ledger(tiny_study: FinishedStudy) -> dict[str, list[optuna.trial.FrozenTrial]]:
    url = tiny_study.study_home.ledger_url(tiny_study.settings)
    names = optuna.study.get_all_study_names(url)
    return {
        name.removeprefix("tiny/"): optuna.load_study(study_name=name, storage=url).get_trials()
        for name in names
    }


@pytest.fixture(scope="session")
def runs(tiny_study: FinishedStudy):
    client = MlflowClient(tiny_study.study_home.tracking_uri(tiny_study.settings))
    experiment = client.get_experiment_by_name("tiny")
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    return client, {run.data.tags[KEY_TAG]: run for run in found}


def test_every_cell_spends_its_budget_and_nothing_is_left_running(ledger):
    for cell in CELLS:
        states = Counter(trial.state for trial in ledger[cell])
        assert states.total() == 4
        assert set(states) <= {TrialState.COMPLETE, TrialState.PRUNED}
        assert [trial.state for trial in ledger[f"{cell}/finals"]] == [TrialState.COMPLETE] * 2


def test_some_trial_is_pruned_and_spends_fewer_epochs(ledger):
    pruned = [trial for cell in CELLS for trial in ledger[cell] if trial.state is TrialState.PRUNED]
    assert pruned
    assert all(len(trial.intermediate_values) < 3 for trial in pruned)


def test_the_first_trial_of_a_cell_is_the_textbook_configuration(ledger):
    assert ledger["fruit/unet"][0].params == {"learning_rate": 1e-3}
    assert ledger["fruit/cgan"][0].params["generator_init"] == "scratch"
    assert ledger["fruit/cgan"][0].params["epsilon"] == pytest.approx(1e-12)


def test_the_cgan_cell_starts_when_the_unet_cell_is_done(ledger):
    unet_end = max(trial.datetime_complete for trial in ledger["fruit/unet"])
    assert min(trial.datetime_start for trial in ledger["fruit/cgan"]) >= unet_end


def test_finals_use_the_best_configuration_with_seeds_of_their_own(ledger):
    for cell in CELLS:
        best = min(
            (trial for trial in ledger[cell] if trial.state is TrialState.COMPLETE),
            key=lambda trial: trial.value,
        )
        finals = ledger[f"{cell}/finals"]
        assert all(final.params == best.params for final in finals)
        seeds = [trial.user_attrs["seed"] for trial in ledger[cell] + finals]
        assert len(set(seeds)) == len(seeds)
        assert all("test" in final.user_attrs for final in finals)


def test_mlflow_mirrors_the_ledger_one_to_one(ledger, runs):
    _, by_key = runs
    for cell in CELLS:
        parent = by_key[cell].info.run_id
        for stage, prefix in ((cell, ""), (f"{cell}/finals", "final-")):
            for trial in ledger[stage]:
                run = by_key[f"{cell}/{prefix}{trial.number}"]
                assert run.info.status == STATUS[trial.state.name]
                assert run.data.tags["mlflow.parentRunId"] == parent
                searched = {name: str(value) for name, value in trial.params.items()}
                assert searched.items() <= run.data.params.items()  # beside the study's fixed settings
    assert len(by_key) == 1 + len(CELLS) + 3 * (4 + 2)


def test_there_is_one_point_per_metric_and_epoch(ledger, runs):
    client, by_key = runs
    for cell in CELLS:
        for trial in ledger[cell]:
            points = client.get_metric_history(
                by_key[f"{cell}/{trial.number}"].info.run_id, "validation/ciede2000"
            )
            assert {point.step: point.value for point in points} == pytest.approx(trial.intermediate_values)
            assert len(points) == len(trial.intermediate_values)


def test_pictures_are_logged_by_step(ledger, runs):
    client, by_key = runs
    epochs = len(
        ledger["fruit/unet"][0].intermediate_values
    )  # which of two trials is pruned depends on their speed
    names = [file.path for file in client.list_artifacts(by_key["fruit/unet/0"].info.run_id, "images")]
    assert {name.split("+")[2] for name in names if name.endswith(".png")} == {
        str(step) for step in range(epochs + 1)
    }


def test_the_summary_and_the_commands_to_go_on_with_are_printed(tiny_study):
    assert "grey copy" in tiny_study.output
    assert "drawn images, not photographs" in tiny_study.output
    for line in commands(tiny_study.settings, tiny_study.study_home):
        assert line in tiny_study.output


def test_no_path_of_this_machine_is_in_the_report(tiny_study):
    page = tiny_study.study_home.report.read_text(encoding="utf-8")
    assert str(tiny_study.home) not in page
    assert str(Path.home()) not in page


def exported(study: FinishedStudy, form: str) -> str:
    done = run_module("study.export", "--name", study.name, "--home", study.home, "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_export_as_json_has_one_row_per_cell_that_agrees_with_the_evaluations(tiny_study, ledger):
    rows = json.loads(exported(tiny_study, "json"))
    assert [f"{row['dataset']}/{row['architecture']}" for row in rows] == list(CELLS)
    for row in rows:
        cell = f"{row['dataset']}/{row['architecture']}"
        assert row["trials"] == row["complete"] + row["pruned"] + row["failed"] == 4
        assert row["seeds"] == 2
        assert row["epochs"] == sum(len(trial.intermediate_values) for trial in ledger[cell])
        means = [final.user_attrs["test"]["ciede2000"] for final in ledger[f"{cell}/finals"]]
        objective = row["test"]["ciede2000"]
        assert objective["mean"] == pytest.approx(np.mean(means), rel=1e-5)
        assert objective["low"] <= objective["mean"] <= objective["high"]


def test_the_other_formats_hold_the_same_cells_and_the_trivial_rows(tiny_study):
    lines = list(csv.DictReader(io.StringIO(exported(tiny_study, "csv"))))
    assert [line["model"] for line in lines] == [
        "koalarization", "unet", "cgan", "grey copy", "best tint", "mean chroma", "white",
    ]  # fmt: skip
    markdown, latex = exported(tiny_study, "markdown"), exported(tiny_study, "latex")
    assert markdown.count("\n| fruit |") == latex.count("\nfruit &") == 7


def test_a_study_that_exists_is_not_started_again(tiny_study):
    again = run_module("study.launch", "demo", "--name", "tiny", "--home", tiny_study.home)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "--resume" in again.stderr


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path):
    everything = "[koalarization, unet, cgan, vggunet]"
    done = run_module("study.launch", "--architectures", everything, "--dry-run", "--home", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "scenes: 360 drawn images, not photographs; 288 train, 36 validation, 36 test" in done.stdout
    assert "scenes/cgan" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_nothing_below_models_and_data_utils_imports_the_study():
    for package in ("models", "data_utils"):
        for file in (ROOT / package).rglob("*.py"):
            text = file.read_text()
            assert "from study" not in text
            assert "import study" not in text
