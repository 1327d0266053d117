"""Trials without Ray: training, continuing, starting from a U-Net, diverging."""

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_utils.load_dataset import load_dataset
from models.architectures import architecture
from models.errors import ModelError
from models.metrics.evaluation import load_evaluation
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec, divergence
from study.settings.schema import StudySettings
from study.storage.paths import EVALUATION, WEIGHTS, trial_folder
from study.storage.storage import Storage
from study.training.data import TrialData
from study.training.trial import Trial

EPOCHS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrialData:
    return TrialData(load_dataset("drawn:fruit", 16, cache=tmp_path_factory.mktemp("cache")))


@pytest.fixture
def settings(tmp_path: Path) -> StudySettings:
    return StudySettings(
        datasets={"fruit": {"root": "drawn:fruit", "train_limit": 64}},
        model={"image_size": 16, "width": 2, "device": "cpu"},
        budget={"epochs": EPOCHS},
        storage=str(tmp_path),
    )


def spec(name: str = "unet", stage: Stage = Stage.SEARCH, number: int = 0, **params) -> TrialSpec:
    chosen = {**architecture(name).textbook, **params}
    return TrialSpec("fruit", name, stage, number, chosen, seed=5, epochs=EPOCHS)


def finish(trial: Trial) -> list[dict[str, float]]:
    reports: list[dict[str, float]] = []
    while trial.epoch < EPOCHS:
        reports += trial.advance()[0]
    return reports


def learning(reports: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in one.items() if "seconds" not in k} for one in reports]


@pytest.mark.parametrize("name", ["unet", "cgan"])
def test_a_trial_that_died_goes_on_as_if_it_had_not(settings, data, tmp_path, name):
    undisturbed = finish(Trial(settings, spec(name, number=1), data))
    Trial(settings, spec(name, number=2), data).advance()  # dies after its first epoch
    resumed = Trial(settings, spec(name, number=2), data)
    assert resumed.epoch == 1
    assert learning(finish(resumed)) == learning(undisturbed)


def test_the_same_seed_gives_the_same_values_and_another_seed_others(settings, data):
    first, second = (finish(Trial(settings, spec(number=n), data)) for n in (1, 2))
    other = finish(Trial(settings, replace(spec(number=3), seed=6), data))
    assert learning(first) == learning(second)
    assert learning(first) != learning(other)


def test_a_cgan_that_starts_from_a_unet_predicts_at_first_what_that_unet_predicts(settings, data):
    unet = Trial(settings, spec("unet"), data)
    finish(unet)
    start = replace(spec("cgan", generator_init="unet"), generator_from=0)
    cgan = Trial(settings, start, data)
    grey = torch.rand(3, 1, 16, 16) * 2 - 1
    assert torch.equal(cgan.learner.predict(grey), unet.best_learner().predict(grey))


def test_weights_that_should_start_a_generator_but_are_missing_are_named(settings, data):
    start = replace(spec("cgan", generator_init="unet"), generator_from=7)
    with pytest.raises(Exception, match=r"fruit/unet/7.*not in the storage"):
        Trial(settings, start, data)


def test_a_final_is_evaluated_on_the_test_split_and_a_search_trial_is_not(settings, data, tmp_path):
    final = Trial(settings, spec(stage=Stage.FINAL), data)
    tests = [final.advance()[1] for _ in range(EPOCHS)]
    assert tests[:-1] == [None, None]
    assert math.isfinite(tests[-1]["ciede2000"])
    assert math.isfinite(tests[-1]["kept_ciede2000"])
    storage = Storage(str(tmp_path))
    file = storage.get_file(f"{trial_folder('fruit/unet/final-0')}/{EVALUATION}", tmp_path)
    per_image = load_evaluation(file)
    assert len(per_image["ciede2000"]) == (data.images.split == 2).sum()
    assert per_image["ciede2000"].mean() == pytest.approx(tests[-1]["ciede2000"], rel=1e-5)
    search = Trial(settings, spec(), data)
    assert [search.advance()[1] for _ in range(EPOCHS)] == [None] * EPOCHS
    assert storage.get_file(f"{trial_folder('fruit/unet/0')}/{WEIGHTS}", tmp_path)


def test_a_diverging_trial_reports_what_is_not_finite(settings, data):
    report = finish(Trial(settings, spec(learning_rate=1e30), data))[-1]
    assert divergence(architecture("unet"), report).startswith("diverged: ")


def test_a_checkpoint_that_was_changed_is_refused_by_name(settings, data, tmp_path):
    Trial(settings, spec(), data).advance()
    state = next(tmp_path.rglob("state.json"))
    state.write_text(state.read_text().replace('"epoch": 1', '"epoch": 2'))
    with pytest.raises(ModelError, match=r"state\.json"):
        Trial(settings, spec(), data)


def test_energy_adds_up_over_the_trials_own_epochs_also_after_a_restart(settings, data, monkeypatch):
    counter = iter(range(1000, 2000, 50))  # joules at each reading, one before and one after an epoch
    monkeypatch.setattr("study.training.trial.EnergyMeter.joules", lambda meter: float(next(counter)))
    first = Trial(settings, spec(), data)
    assert first.advance()[0][-1]["energy_joules"] == 50
    resumed = Trial(settings, spec(), data)
    assert [report["energy_joules"] for report in finish(resumed)] == [50, 100, 150]
    longer = replace(spec(number=1), epochs=EPOCHS + 1, continues=0, inherited_epochs=EPOCHS)
    assert Trial(settings, longer, data).advance()[0][-1]["energy_joules"] == 50


def test_a_device_without_a_counter_reports_no_energy(settings, data):
    assert "energy_joules" not in Trial(settings, spec(), data).advance()[0][-1]


def test_checkpoints_by_the_minute_are_saved_when_the_minutes_are_over(settings, data, monkeypatch):
    resources = settings.resources.model_copy(update={"checkpoint_every": "10min"})
    settings = settings.model_copy(update={"resources": resources})
    now = time.monotonic()
    monkeypatch.setattr("study.training.trial.time.monotonic", lambda: now)
    trial = Trial(settings, spec(), data)
    trial.advance()
    assert Trial(settings, spec(), data).epoch == 0  # nothing was saved yet
    now += 601
    trial.advance()
    assert Trial(settings, spec(), data).epoch == 2


def test_the_best_epoch_is_that_of_the_objective(settings, data):
    chosen = settings.model_copy(update={"objective": "kept_ciede2000"})
    trial = Trial(chosen, spec(number=7), data)
    reports = finish(trial)
    assert all(one["kept_ciede2000"] != one["ciede2000"] for one in reports)
    best = min(reports, key=lambda one: one["kept_ciede2000"])
    trial.best_learner()
    assert trial._trainer.validate()["kept_ciede2000"] == pytest.approx(best["kept_ciede2000"])
