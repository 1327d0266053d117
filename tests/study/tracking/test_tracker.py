"""What the tracker writes for MLflow."""

import time
from dataclasses import replace
from types import SimpleNamespace

from models.architectures import ARCHITECTURES, architecture, register
from study.search.cells import Stage
from study.search.trial_spec import TrialSpec
from study.tracking.outbox import Outbox
from study.tracking.tracker import Shared, Tracker
from tests.support.tables import restored


def metrics(name, report):
    """Names under which a report's values are logged."""
    events = []
    tracker = Tracker(SimpleNamespace(append=events.append, latest_time=0))
    spec = TrialSpec("fruit", name, Stage.SEARCH, 0, {}, seed=0, epochs=2)
    tracker.reported(spec, {"epoch": 1, **report})
    return set(events[-1]["values"])


def test_losses_are_training_metrics_and_all_else_was_measured_in_validation(monkeypatch):
    plugin = replace(architecture("unet"), name="variational", losses=("kl", "reconstruction"))
    restored(monkeypatch, ARCHITECTURES)
    register(plugin)
    report = {"kl": 0.1, "reconstruction": 2.0, "nonfinite_steps": 0.0, "psnr": 20.0, "ciede2000": 9.0}
    assert metrics("variational", report) == {
        "train/kl",
        "train/reconstruction",
        "train/nonfinite_steps",
        "validation/psnr",
        "validation/ciede2000",
    }
    assert metrics("unet", {"loss": 0.1, "psnr": 20.0}) == {"train/loss", "validation/psnr"}


def test_everything_that_the_cgan_reports_of_its_training_is_a_training_metric():
    losses = architecture("cgan").losses
    assert metrics("cgan", dict.fromkeys(losses, 0.5)) == {f"train/{name}" for name in losses}


def test_a_setting_that_a_cell_searches_is_its_trials_own_parameter_alone():
    events = []
    tracker = Tracker(SimpleNamespace(append=events.append, latest_time=0))
    tracker.open_study({}, {}, Shared(params={"model.batch_size": "16", "model.width": "8"}))
    tracker.started(TrialSpec("fruit", "unet", Stage.SEARCH, 0, {"batch_size": 4}, seed=0, epochs=2))
    assert events[-1]["params"] == {"batch_size": "4", "model.width": "8", "budget.epochs": "2"}


def test_what_a_resumed_study_tells_is_later_though_the_clock_was_set_back(tmp_path, monkeypatch):
    Tracker(Outbox(tmp_path)).noted("before")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    resumed = Outbox(tmp_path)
    Tracker(resumed).noted("after")
    before, after = resumed.undelivered(2)[0]
    assert before["text"] == "before"
    assert after["time"] > before["time"]
