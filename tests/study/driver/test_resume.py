"""Going on with a study: extended, changed, interrupted, run twice at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from study.cli.interruption import INTERRUPTED
from study.driver.resume import check_content, resumed
from study.errors import UsageError
from study.search.ledger import StudyLedger
from study.settings.schema import StudySettings
from study.settings.study_folder import StudyHome, only_driver
from study.tracking.names import KEY_TAG
from study.training.trial import Trial
from tests.conftest import ROOT, run_module
from tests.study.training.test_trial import data, finish, learning, settings, spec  # noqa: F401

ONE_CELL = """
name: one
seed: 0
datasets:
  fruit: {root: "drawn:fruit", train_limit: 64, validation_limit: 32}
architectures: [unet]
model: {image_size: 16, width: 2, batch_size: 16, device: cpu}
budget: {trials: 2, epochs: 2}
search: {sampler: random, pruner: none}
finals: {seeds: 1}
replicates: 1
controls: false
resources: {max_concurrent_trials: 1}
"""


@pytest.fixture
def stored(tmp_path: Path) -> StudyHome:
    home = StudyHome(tmp_path / "one")
    home.write_settings(
        StudySettings(name="one", seed=0, datasets={"fruit": {"root": "drawn:fruit"}}, architectures=["unet"])
    )
    return home


@pytest.mark.parametrize(
    "flags",
    [
        {"budget": {"trials": 30}},
        {"budget": {"epochs": 200}},
        {"finals": {"seeds": 5}},
        {"resources": {"max_concurrent_trials": 2, "max_failed_share": 1.0}},
        {"tracking": {"uri": "http://127.0.0.1:5000"}},
        {"storage": "/elsewhere"},
        {"datasets": {"fruit": {"root": "drawn:scenes"}}},
    ],
)
def test_budget_resources_and_addresses_may_change(stored, tmp_path, flags):
    chosen, home = resumed(tmp_path, "one", None, flags)
    assert home == stored
    section, _ = next(iter(flags.items()))
    assert (
        chosen.model_dump()[section]
        != StudySettings(datasets={"fruit": {"root": "drawn:fruit"}}).model_dump()[section]
    )


@pytest.mark.parametrize(
    ("flags", "key", "before", "now"),
    [
        ({"seed": 3}, "seed", "0", "3"),
        ({"model": {"width": 8}}, "model.width", "64", "8"),
        ({"model": {"image_size": 64}}, "model.image_size", "128", "64"),
        ({"search": {"sampler": "qmc"}}, "search.sampler", "tpe", "qmc"),
        (
            {"search": {"space": {"unet": {"learning_rate": [1e-4, 1e-3]}}}},
            "search.space.unet",
            "not set",
            "0.0001",
        ),
        ({"architectures": ["unet", "cgan"]}, "architectures", "['unet']", "['unet', 'cgan']"),
        ({"datasets": {"more": {"root": "drawn:scenes"}}}, "datasets.more", "not set", "drawn:scenes"),
        ({"budget": {"epochs": 50}}, "budget.epochs", "100", "50"),
        ({"budget": {"epochs_per_report": 2}}, "budget.epochs_per_report", "1", "2"),
        ({"finals": {"configurations": 2}}, "finals.configurations", "1", "2"),
    ],
)
def test_what_decides_about_trials_may_not(stored, tmp_path, flags, key, before, now):
    with pytest.raises(UsageError) as refusal:
        resumed(tmp_path, "one", None, flags)
    line = str(refusal.value).splitlines()[0]
    assert key in line
    assert before in line
    assert now in line


def test_epochs_may_not_grow_under_a_schedule_that_ends_with_them(tmp_path):
    for name, changed in (
        ("cosine", {"training": {"schedule": "cosine"}}),
        ("searched", {"search": {"space": {"unet": {"schedule": ["constant", "cosine"]}}}}),
    ):
        home = StudyHome(tmp_path / name)
        home.root.mkdir()
        given = {"name": name, "datasets": {"fruit": {"root": "drawn:fruit"}}, "architectures": ["unet"]}
        home.write_settings(StudySettings(**given, **changed))
        resumed(tmp_path, name, None, {"budget": {"trials": 30}})
        with pytest.raises(UsageError, match=r"fruit/unet would have 200 epochs.*scheduled for 100"):
            resumed(tmp_path, name, None, {"budget": {"epochs": 200}})


def test_epochs_that_followed_from_images_stay_when_the_same_file_is_given_again(tmp_path):
    given = StudySettings(
        name="images",
        datasets={"fruit": {"root": "drawn:fruit"}},
        architectures=["unet"],
        budget={"images": 500},
    )
    home = StudyHome(tmp_path / "images")
    home.root.mkdir()
    home.write_settings(given.with_epochs({"fruit": 100}))
    assert resumed(tmp_path, None, given, {})[0].epochs_of("fruit", "unet") == 5
    more = given.model_copy(update={"budget": given.budget.model_copy(update={"images": 900})})
    with pytest.raises(UsageError, match=r"budget\.images is 900, but was 500"):
        resumed(tmp_path, None, more, {})


def test_without_a_name_the_studies_there_are_are_named(stored, tmp_path):
    with pytest.raises(UsageError, match=r"needs --name.*\bone\b"):
        resumed(tmp_path, None, None, {})


def test_a_ledger_that_does_not_hold_the_study_is_refused(stored, tmp_path):
    with pytest.raises(UsageError, match="does not hold the study one"):
        resumed(tmp_path, "one", None, {"ledger": f"sqlite:///{tmp_path}/empty.db"})
    assert not (tmp_path / "empty.db").exists()


def test_other_images_under_the_same_name_are_refused():
    given = StudySettings(datasets={"fruit": {"root": "drawn:fruit"}}, architectures=["unet"])
    ledger = StudyLedger(InMemoryStorage(), given)
    check_content(ledger, {"fruit": "a" * 64})
    check_content(ledger, {"fruit": "a" * 64})
    with pytest.raises(UsageError, match="images of fruit are not those"):
        check_content(ledger, {"fruit": "b" * 64})


@pytest.mark.parametrize("name", ["unet", "cgan"])
def test_a_continued_trial_equals_one_trained_that_long_at_once(settings, data, name):  # noqa: F811
    longer = replace(spec(name, number=1), epochs=5)
    at_once = Trial(settings, longer, data)
    expected = [report for _ in range(5) for report in at_once.advance()[0]]
    finish(Trial(settings, spec(name, number=2), data))
    continued = Trial(settings, replace(longer, number=3, continues=2, inherited_epochs=3), data)
    assert continued.epoch == 3
    reports = [report for _ in range(2) for report in continued.advance()[0]]
    assert learning(reports) == learning(expected)  # the optimizers too: no spike at the seam


def trials(home: Path, stage: str = "") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(
        study_name=f"one/fruit/unet{stage}", storage=f"sqlite:///{home}/one/ledger.db"
    ).get_trials()


def points(home: Path) -> Counter[tuple[str, str, int]]:
    client = MlflowClient(f"sqlite:///{home}/one/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("one").experiment_id])
    assert len({run.data.tags[KEY_TAG] for run in runs}) == len(runs)
    return Counter(
        (run.data.tags[KEY_TAG], metric, point.step)
        for run in runs
        for metric in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, metric)
    )


def test_a_second_driver_of_the_same_study_is_refused_by_name_of_the_first(tmp_path):
    with (
        only_driver(tmp_path),
        pytest.raises(UsageError, match=f"run by process {os.getpid()} on"),
        only_driver(tmp_path),
    ):
        pass
    with only_driver(tmp_path):  # a lock that was given up is free, whatever the file says
        assert (tmp_path / "driver.lock").read_text().startswith(f"process {os.getpid()}")


def test_a_study_interrupted_finished_repeated_and_extended(tmp_path):
    home = tmp_path / "runs"
    (tmp_path / "one.yaml").write_text(ONE_CELL)
    first = driver(tmp_path / "one.yaml", "--name", "one", "--home", home)
    wait_for_a_report(home)

    first.send_signal(signal.SIGTERM)
    output, _ = first.communicate(timeout=240)
    assert first.returncode == INTERRUPTED
    assert f"--name one --home {home} --resume" in output

    done = run_module("study.launch", "--name", "one", "--home", home, "--resume")
    assert done.returncode == 0, done.stderr
    before, finals = trials(home), trials(home, "/finals")
    assert [trial.state for trial in before + finals] == [TrialState.COMPLETE] * 3
    counted = points(home)
    assert set(counted.values()) == {1}

    again = run_module("study.launch", "--name", "one", "--home", home, "--resume")
    assert again.returncode == 0
    assert "Nothing is left to do." in again.stdout
    assert "grey copy" in again.stdout
    assert points(home) == counted

    extended = run_module(
        "study.launch",
        "--name",
        "one",
        "--home",
        home,
        "--resume",
        "--budget.trials",
        "3",
        "--budget.epochs",
        "4",
    )
    assert extended.returncode == 0, extended.stderr
    assert "the finals stand" in extended.stdout
    assert "another name" in extended.stdout
    after = trials(home)
    assert [trial.number for trial in after] == [0, 1, 2, 3, 4]
    assert [trial.user_attrs.get("continues") for trial in after] == [None, None, 0, 1, None]
    for old, new in zip(before, after[2:4], strict=True):
        assert (new.params, new.user_attrs["seed"]) == (old.params, old.user_attrs["seed"])
        assert list(new.intermediate_values) == [1, 2, 3, 4]
        assert list(new.intermediate_values.values())[:2] == list(old.intermediate_values.values())
    assert [trial.last_step for trial in after] == [2, 2, 4, 4, 4]
    assert trials(home, "/finals") == finals  # the test split was not evaluated again
    assert set(points(home).values()) == {1}


def driver(*words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "study.launch", *map(str, words), "--budget.epochs", "2"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_a_report(home: Path) -> None:
    journal = home / "one" / "outbox" / "journal.jsonl"
    deadline = time.monotonic() + 500
    while not (journal.exists() and "train/loss" in journal.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
