"""What is read off a search: progress, random trials, importance, early ranks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from models.architectures import ARCHITECTURES
from study.reporting.search_analysis import (
    anytime,
    early_ranks,
    expected_best_curve,
    importances,
    judged,
    logarithmic,
    random_start,
    rungs,
)
from study.reporting.search_section import _slice
from study.search.importance import FEWEST_FOR_IMPORTANCE
from study.search.trial_spec import TrialState
from study.tracking.trial_record import TrialRecord
from tests.support.cell_evidence import trial
from tests.support.conditional import CONDITIONAL
from tests.support.tables import restored


def record(
    trials: list[TrialRecord], histories=None, sampler: str = "tpe", startup: int = 3
) -> SimpleNamespace:
    search = {
        "sampler": sampler,
        "startup_trials": startup,
        "space": {},
        "pruner": "halving" if histories else "none",
        "warmup_epochs": None,
        "reduction_factor": 2,
    }
    return SimpleNamespace(
        settings={"search": search},
        objective="ciede2000",
        search=lambda _, name: [one for one in trials if one.architecture == name],
        history=lambda one, _: histories[one.number],
    )


def test_the_incumbent_ignores_failures_and_pays_for_the_pretrained_generator():
    trials = [
        trial(0, best=12.0, ended=1),
        trial(1, best=5.0, state=TrialState.PRUNED, ended=2),
        trial(2, best=None, state=TrialState.FAIL, ended=3),
        trial(3, best=9.0, ended=4, generator_from=0),
        trial(4, best=8.0, state=TrialState.RUNNING, ended=None),
        trial(9, best=11.0, ended=1, architecture="unet", device_seconds=100.0),
    ]
    progress = anytime(record(trials), "fruit", "cgan")
    assert progress.x.tolist() == [4, 8, 12, 116]
    assert progress.y.tolist() == [12, 12, 12, 9]


def test_random_trials_are_those_before_the_sampler_had_learnt():
    trials = [
        trial(number, started=10 * number, ended=10 * number + 5, best=float(number)) for number in range(8)
    ]
    assert [one.number for one in random_start(record(trials), "fruit", "cgan")] == [1, 2]
    assert len(random_start(record(trials, sampler="random"), "fruit", "cgan")) == 7
    at_once = [trial(number, started=0, ended=10) for number in range(6)]
    assert len(random_start(record(at_once), "fruit", "cgan")) == 5


def test_expected_best_falls_with_more_trials():
    trials = [trial(number, best=float(10 + number), started=0, ended=9) for number in range(6)]
    curve = expected_best_curve(record(trials), "fruit", "cgan")
    assert curve.x.tolist() == [1, 2, 3, 4, 5]
    assert curve.y[0] == pytest.approx(13)
    assert np.all(np.diff(curve.y) < 0)


def test_importance_finds_the_parameter_that_matters():
    rng = np.random.default_rng(0)
    trials = []
    for number in range(60):
        params = {
            "learning_rate": float(10 ** rng.uniform(-5, -2)),
            "discriminator_learning_rate": float(10 ** rng.uniform(-6, -2)),
            "l1_weight": float(10 ** rng.uniform(0, 3)),
            "epsilon": float(10 ** rng.uniform(-12, -3)),
            "generator_init": "scratch",
        }
        best = 10 + 3 * (np.log10(params["learning_rate"]) + 3.5) ** 2
        trials.append(trial(number, params=params, best=float(best)))
    found = importances(record(trials), "fruit", "cgan")
    assert set(found) == {"fANOVA", "PED-ANOVA", "mean decrease of impurity"}
    for values in found.values():
        assert max(values, key=lambda name: values[name]) == "learning_rate"
    assert importances(record(trials[: FEWEST_FOR_IMPORTANCE - 1]), "fruit", "cgan") == {}


def test_trials_are_compared_where_the_pruner_first_judges_survivors_and_others():
    """Of the trials from scratch none survives: complete ones alone would say that the start does not matter."""
    rng = np.random.default_rng(0)
    trials, histories = [], []
    for number in range(40):
        scratch = number % 2 == 0
        value = 20.0 if scratch else 10.0
        params = {
            "learning_rate": float(10 ** rng.uniform(-4, -2)),
            "generator_init": "scratch" if scratch else "unet",
        }
        state = TrialState.PRUNED if scratch else TrialState.COMPLETE
        trials.append(
            trial(
                number, params=params, best=value, state=state, epochs=2 if scratch else 8, generator_from=0
            )
        )
        until = 2 if scratch else 8
        histories.append([(epoch, value + rng.normal() - epoch / 8) for epoch in range(1, until + 1)])
    rung, compared = judged(record(trials, histories), "fruit", "cgan")
    assert rung == 2
    assert len(compared) == 40
    for values in importances(record(trials, histories), "fruit", "cgan").values():
        assert max(values, key=lambda name: values[name]) == "generator_init"


def test_early_values_are_compared_where_the_pruner_judges_and_as_it_does():
    trials = [trial(number) for number in range(10)]
    histories = [[(epoch, 20.0 + number - epoch) for epoch in range(1, 8)] for number in range(10)]
    for number, history in enumerate(histories):  # a bad last epoch before the rung, in reverse order
        history[1] = (2, 90.0 - number)
    ranks = early_ranks(record(trials, histories), "fruit", "cgan")
    assert [rank.epoch for rank in ranks] == [2, 4]  # a quarter of 7 epochs, rounded up as the pruner does
    assert all(rank.correlation.value == pytest.approx(1) for rank in ranks)
    assert early_ranks(record(trials[:4], histories), "fruit", "cgan") == []


def test_where_the_pruners_judge():
    search = {"pruner": "halving", "warmup_epochs": None, "reduction_factor": 3}
    assert rungs(search, 30) == [8, 24]
    assert rungs(search | {"warmup_epochs": 0}, 5) == [1, 3]
    assert rungs(search | {"pruner": "median"}, 30) == [8, 16]
    assert rungs(search | {"pruner": "none"}, 30) == rungs(search, 1) == []


def test_integers_and_conditional_hyperparameters_are_read_off_too(monkeypatch):
    restored(monkeypatch, ARCHITECTURES)
    ARCHITECTURES.register(CONDITIONAL)
    rng = np.random.default_rng(0)
    trials = []
    for number in range(40):
        params = {
            "learning_rate": float(10 ** rng.uniform(-5, -2)),
            "dropout": float(rng.uniform(0, 0.5)),
            "layers": int(rng.choice([2, 4, 6, 8])),
            "loss": str(rng.choice(["l1", "bins"])),
        }
        if params["loss"] == "bins":
            params["bins"] = int(rng.integers(32, 512))
        trials.append(trial(number, params=params, best=float(params["layers"]), architecture="conditional"))
    found = importances(record(trials), "fruit", "conditional")
    assert len(found) == 3
    for values in found.values():
        assert set(values) == {"learning_rate", "dropout", "layers", "loss"}
        assert max(values, key=lambda name: values[name]) == "layers"
    scales = {
        name: logarithmic("conditional", name, [1.0]) for name in CONDITIONAL.search_space if name != "loss"
    }
    assert scales == {"learning_rate": True, "dropout": False, "layers": False, "bins": True}
    for name in CONDITIONAL.search_space:
        assert f'aria-label="fruit conditional {name}"' in _slice(trials, name, "#000000")
