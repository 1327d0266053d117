"""Where a study's runs are to be seen."""

from dataclasses import replace

from study.comparison.summary import summarise_study
from study.driver.closing_summary import epochs_sentence, runs_lines
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome

DATASETS = {"fruit": {"root": "drawn:fruit"}}


def test_the_address_of_a_server_opens_the_studys_runs(tmp_path):
    settings = StudySettings(datasets=DATASETS, tracking={"uri": "http://host:5000/"})
    shown = runs_lines(settings, StudyHome(tmp_path / "mine"), "7")
    assert shown.endswith("http://host:5000/#/experiments/7/runs?workflowType=machine_learning")
    assert runs_lines(settings, StudyHome(tmp_path / "mine"), None).endswith("http://host:5000/")


def test_a_studys_own_database_is_served_first(tmp_path):
    shown = runs_lines(StudySettings(datasets=DATASETS), StudyHome(tmp_path / "mine"), "1")
    command, address = shown.splitlines()
    assert f"mlflow ui --backend-store-uri sqlite:///{tmp_path}/mine/mlflow.db" in command
    assert address.strip() == "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"


def test_the_epochs_of_a_search_are_counted_in_words(lonely):
    (row,) = summarise_study(lonely)
    said = epochs_sentence(lonely, [replace(row, epochs=1, trials=1)])
    assert said.startswith("The search trained 1 epoch; without pruning it would have been ")
