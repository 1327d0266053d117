"""What MLflow and the report say of the machine that a study ran on."""

import json

from study.driver.environment import git
from study.driver.run_facts import shown_settings
from study.settings.schema import StudySettings

PLACES = {
    "datasets": {"fruit": {"root": "/home/me/photographs/fruit"}, "drawn": {"root": "drawn:scenes"}},
    "storage": "/mnt/shared/checkpoints",
    "ledger": "sqlite:////home/me/ledger.db",
    "contestants": {"other": "~/other"},
}


def test_folders_of_this_machine_are_named_by_their_last_name():
    shown = shown_settings(StudySettings(**PLACES, tracking={"uri": "http://host:5000"}))
    assert shown["datasets"]["fruit"]["root"] == "…/fruit"
    assert shown["datasets"]["drawn"]["root"] == "drawn:scenes"
    assert shown["storage"] == "…/checkpoints"
    assert shown["ledger"] == "sqlite:///…/ledger.db"
    assert shown["tracking"]["uri"] == "http://host:5000"
    assert not {"home", "mnt", "~"} & set(json.dumps(shown).replace('"', "/").split("/"))


def test_whole_paths_are_shown_to_who_asks():
    settings = StudySettings(**PLACES, tracking={"whole_paths": True})
    assert shown_settings(settings) == settings.model_dump(mode="json")


def test_a_machine_without_git_names_no_commit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git("rev-parse", "HEAD") == ""
