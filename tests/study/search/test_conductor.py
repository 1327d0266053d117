"""The scheduling rules of a study, on a virtual clock."""

import math
from collections import Counter
from dataclasses import replace

import optuna
import pytest

from models.architectures import ARCHITECTURES, Choice, Float, architecture, register
from models.metrics import OBJECTIVE
from study.backend.learning_curves import analytic_curve
from study.backend.simulator import ProcessDied
from study.search.cells import Stage, cells_of
from study.search.strategies.pruners import make_pruner
from study.search.trial_spec import TrialState
from tests.support.simulated import (
    EPOCHS,
    TRIALS,
    run,
    simulate,
    states,
    study_settings,
)
from tests.support.tables import restored


def test_every_cell_gets_the_same_budget_and_its_finals():
    ledger, _ = run(study_settings())
    for cell in cells_of(study_settings()):
        assert states(ledger.search(cell.key)).total() == TRIALS
        assert states(ledger.finals(cell.key)) == {TrialState.COMPLETE: 2}


@pytest.mark.parametrize("workers", [1, 3, 64])
def test_the_least_charged_runnable_cell_is_next(workers):
    settings = study_settings(architectures=["koalarization", "unet"], finals={"seeds": 0})
    _, diary = run(settings, workers=workers)
    charged = Counter({cell.key: 0 for cell in cells_of(settings)})
    begun = Counter()
    for what, spec, content in diary.events:
        if what == "started":
            open_cells = [cell for cell in charged if begun[cell] < TRIALS]
            assert charged[spec.cell] == min(charged[cell] for cell in open_cells)
            charged[spec.cell] += EPOCHS
            begun[spec.cell] += 1
        elif what == "ended":
            charged[spec.cell] -= EPOCHS - content.epochs


def test_under_a_budget_of_device_seconds_cells_take_turns_and_stop_when_it_is_spent():
    settings = study_settings(
        architectures=["koalarization", "unet"],
        budget={"trials": 100, "device_seconds": 6 * EPOCHS},
        search={"pruner": "none"},
        finals={"seeds": 0},
    )
    ledger, diary = run(settings)
    first = [spec.cell for spec, _ in diary.of("started")][:4]
    assert len(set(first)) == 4
    for cell in cells_of(settings):
        assert 6 <= states(ledger.search(cell.key)).total() <= 9


def test_the_cgan_waits_for_its_unet_and_leaves_no_worker_idle_meanwhile(tmp_path):
    settings = study_settings()
    simulation, conductor, ledger, diary = simulate(settings)
    searched = set()
    while simulation.advance(tmp_path):
        for spec, _ in diary.of("started"):
            if spec.stage is Stage.SEARCH and spec.architecture == "cgan":
                searched.add(spec.dataset)
        for dataset in ("scenes", "fruit"):
            done = sum(
                states(ledger.search(f"{dataset}/unet"))[state]
                for state in (TrialState.COMPLETE, TrialState.PRUNED)
            )
            assert dataset not in searched or done == TRIALS
        left = [
            cell
            for cell in ("scenes/koalarization", "fruit/koalarization", "scenes/unet", "fruit/unet")
            if states(ledger.search(cell)).total() < TRIALS
        ]
        if left:
            assert simulation.busy >= 3  # the fourth is the one that has just reported its last epoch
    assert conductor.finished


def test_a_cgan_trial_that_starts_from_the_unet_takes_the_best_one():
    ledger, diary = run(study_settings())
    for spec, _ in diary.of("started"):
        if spec.params.get("generator_init") == "unet":
            complete = ledger.search(f"{spec.dataset}/unet").trials(TrialState.COMPLETE)
            best = min(complete, key=lambda trial: (trial.best, trial.number))
            assert spec.generator_from == best.number
        else:
            assert spec.generator_from is None
    assert any(spec.generator_from is not None for spec, _ in diary.of("started"))


def test_a_cell_is_in_its_finals_while_others_still_search():
    settings = study_settings(budget={"epochs_for": {"scenes/koalarization": 2}})
    _, diary = run(settings, workers=2)
    stages = [spec.stage for spec, _ in diary.of("started")]
    assert Stage.SEARCH in stages[stages.index(Stage.FINAL) :]


def test_finals_repeat_the_best_complete_configuration_with_fresh_seeds():
    ledger, diary = run(study_settings())
    for cell in cells_of(study_settings()):
        complete = ledger.search(cell.key).trials(TrialState.COMPLETE)
        best = min(complete, key=lambda trial: (trial.best, trial.number))
        finals = ledger.finals(cell.key).trials()
        assert all(final.params == best.params for final in finals)
        assert all(OBJECTIVE in final.attributes["test"] for final in finals)
        seeds = {spec.seed for spec, _ in diary.of("started") if spec.cell == cell.key}
        assert len(seeds) == TRIALS + 2


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband", "patient", "none"])
def test_pruning_equals_what_optunas_pruner_decides_in_a_study_of_its_own(pruner):
    search = {"pruner": pruner, "patience": 1}
    settings = study_settings(
        architectures=["unet"], search=search, finals={"seeds": 0}, budget={"trials": 20}
    )
    ledger, diary = run(settings, workers=3)
    for cell in cells_of(settings):
        name = f"{settings.name}/{cell.key}"  # Hyperband's brackets hang on it
        plain = optuna.create_study(study_name=name, pruner=make_pruner(settings.search, EPOCHS))
        trials = {}
        for what, spec, content in diary.events:
            if spec is None or spec.cell != cell.key:
                continue
            number = spec.number
            if what == "started":
                trials[number] = plain.ask()
            elif what == "reported":
                trials[number].report(content[OBJECTIVE], int(content["epoch"]))
                stopped = int(content["epoch"]) < EPOCHS and trials[number].should_prune()
                ours = ledger.search(cell.key).trials()[number]
                assert stopped == (ours.state is TrialState.PRUNED and content["epoch"] == ours.epochs)
            elif content.state is TrialState.PRUNED:
                plain.tell(trials[number], state=optuna.trial.TrialState.PRUNED)
            else:
                plain.tell(trials[number], content.value)
    pruned = states(ledger.search("scenes/unet"))[TrialState.PRUNED]
    assert (pruned > 0) == (pruner in ("median", "halving", "hyperband"))  # these curves always improve


def test_a_diverged_trial_is_told_fail_and_the_study_goes_on():
    def diverging(spec, epoch):
        if spec.number == 3 and epoch == 2:
            return {OBJECTIVE: math.nan}
        return analytic_curve(spec, epoch)

    ledger, _ = run(study_settings(search={"pruner": "none"}), curve=diverging)
    trial = ledger.search("scenes/unet").trials()[3]
    assert trial.state is TrialState.FAIL
    assert trial.attributes["reason"] == f"diverged: {OBJECTIVE} is nan at epoch 2"
    assert states(ledger.search("scenes/unet"))[TrialState.COMPLETE] == TRIALS - 1


def test_a_trial_whose_process_dies_is_tried_again_and_then_told_fail():
    deaths = Counter()

    def dying(spec, epoch):
        lives = 5 if spec.number == 2 else 1
        if spec.architecture == "unet" and epoch == 3 and deaths[spec.key] < lives:
            deaths[spec.key] += 1
            raise ProcessDied("the node is gone")
        return analytic_curve(spec, epoch)

    ledger, _ = run(study_settings(search={"pruner": "none"}), curve=dying, max_failures=2)
    trials = ledger.search("fruit/unet").trials()
    assert [trial.number for trial in trials if trial.state is TrialState.FAIL] == [2]
    assert trials[2].attributes["reason"] == "ProcessDied: the node is gone"
    assert all(
        list(trial.intermediate_values) == list(range(1, EPOCHS + 1)) for trial in trials if trial.number != 2
    )


def test_a_failing_cell_stops_and_its_dependant_starts_from_scratch():
    def hopeless(spec, epoch):
        return {OBJECTIVE: math.inf} if spec.cell == "scenes/unet" else analytic_curve(spec, epoch)

    ledger, diary = run(study_settings(), curve=hopeless, workers=1)
    assert set(states(ledger.search("scenes/unet"))) == {TrialState.FAIL}
    assert states(ledger.search("scenes/unet")).total() < TRIALS
    assert states(ledger.finals("scenes/unet")).total() == 0
    assert states(ledger.search("scenes/cgan")).total() == TRIALS
    assert any("scenes/unet stops" in sentence for _, sentence in diary.of("noted"))
    assert all(
        "generator_init" not in trial.params or trial.params["generator_init"] == "scratch"
        for trial in ledger.search("scenes/cgan").trials()
    )


def test_a_cgan_search_begins_with_the_textbook_from_scratch_and_from_the_trained_unet():
    ledger, _ = run(study_settings())
    first, second, *_ = ledger.search("scenes/cgan").trials()
    assert first.params == architecture("cgan").textbook
    assert second.params == {**architecture("cgan").textbook, "generator_init": "unet"}


def test_a_search_begins_within_the_space_that_it_was_given():
    ledger, _ = run(study_settings(search={"space": {"cgan": {"generator_init": ["unet"]}}}))
    first, second, *_ = ledger.search("scenes/cgan").trials()
    assert first.params == {**architecture("cgan").textbook, "generator_init": "unet"}
    assert second.params["learning_rate"] != first.params["learning_rate"]


def test_a_start_parameter_of_any_name_starts_from_the_parent_cells_best_weights(monkeypatch):
    plugin = replace(
        architecture("unet"),
        name="tuned",
        search_space={"learning_rate": Float(1e-5, 1e-2), "weights_from": Choice(("nothing", "unet"))},
        textbook={"learning_rate": 1e-3, "weights_from": "nothing"},
        pretrained_by="unet",
    )
    restored(monkeypatch, ARCHITECTURES)
    register(plugin)
    ledger, diary = run(study_settings(architectures=["unet", "tuned"]))
    best = min(
        ledger.search("fruit/unet").trials(TrialState.COMPLETE),
        key=lambda trial: (trial.best, trial.number),
    )
    started = [one for one, _ in diary.of("started") if one.cell == "fruit/tuned"]
    assert {(one.params["weights_from"], one.generator_from) for one in started} == {
        ("nothing", None),
        ("unet", best.number),
    }


def test_a_loss_of_any_name_that_is_not_finite_is_a_divergence(monkeypatch):
    plugin = replace(architecture("unet"), name="variational", losses=("kl",))
    restored(monkeypatch, ARCHITECTURES)
    register(plugin)

    def diverging(spec, epoch):
        kl = math.nan if (spec.number, epoch) == (3, 2) else 0.1
        return {"kl": kl, **analytic_curve(spec, epoch)}

    ledger, _ = run(study_settings(architectures=["variational"]), curve=diverging)
    trial = ledger.search("fruit/variational").trials()[3]
    assert trial.state is TrialState.FAIL
    assert trial.attributes["reason"] == "diverged: kl is nan at epoch 2"
