"""Replicates, controls and looks, on a virtual clock."""

from collections import Counter

from optuna.storages import InMemoryStorage

from study.search.cells import Stage
from study.search.ledger import StudyLedger
from study.search.trial_spec import TrialState
from tests.support.simulated import TRIALS, outcome, run, simulate, states, study_settings

SEVERAL = {"replicates": 3, "controls": True, "finals": {"seeds": 1}}


def test_each_replicate_searches_on_its_own_and_is_retrained_once():
    ledger, diary = run(study_settings(**SEVERAL))
    for key in ("fruit/unet", "fruit/unet/replicate-2", "fruit/unet/replicate-3"):
        assert states(ledger.search(key)).total() == TRIALS
        assert states(ledger.finals(key)) == {TrialState.COMPLETE: 1}
    seeds = Counter(spec.seed for spec, _ in diary.of("started") if spec.stage is not Stage.CONTROL)
    assert set(seeds.values()) == {1}
    rates = {
        spec.params["learning_rate"] for spec, _ in diary.of("started") if spec.cell.startswith("fruit/unet")
    }
    assert len(rates) > 2 * TRIALS  # each sampler has a seed of its own


def test_the_first_replicate_is_the_study_without_replicates():
    alone, _ = run(study_settings(controls=True))
    several, _ = run(study_settings(controls=True, replicates=2))
    first = {what: end for what, end in outcome(several).items() if "replicate" not in what[0]}
    assert first == outcome(alone)
    for cell in alone.cells:
        for stage, part in alone.parts(cell.key).items():
            same = several.parts(cell.key)[stage].trials()
            assert [(one.params, one.attributes) for one in part.trials()] == [
                (one.params, one.attributes) for one in same
            ]


def test_earlier_replicates_come_first():
    _, diary = run(study_settings(architectures=["unet"], replicates=2), workers=1)
    begun = [spec.replicate for spec, _ in diary.of("started")]
    assert begun == sorted(begun)


def test_a_cell_starts_from_the_network_of_its_own_replicate():
    ledger, diary = run(study_settings(**SEVERAL))
    started = [spec for spec, _ in diary.of("started") if spec.generator_from is not None]
    assert {spec.replicate for spec in started} == {1, 2, 3}
    for spec in started:
        parent = "fruit/unet" if spec.replicate == 1 else f"fruit/unet/replicate-{spec.replicate}"
        complete = ledger.search(parent.replace("fruit", spec.dataset)).trials(TrialState.COMPLETE)
        assert spec.generator_from == min(complete, key=lambda one: (one.best, one.number)).number


def test_every_final_that_began_as_a_trained_network_has_a_control():
    ledger, diary = run(study_settings(**SEVERAL))
    finals = {
        (spec.cell, spec.number): spec
        for spec, _ in diary.of("started")
        if spec.stage is Stage.FINAL and spec.generator_from is not None
    }
    controls = [spec for spec, _ in diary.of("started") if spec.stage is Stage.CONTROL]
    assert {(spec.cell, spec.controls) for spec in controls} == set(finals)
    assert finals
    for control in controls:
        final = finals[control.cell, control.controls]
        assert control.key == f"{control.cell}/control-{control.number}"
        assert control.network.name == "unet"
        assert set(control.params) == {"learning_rate"}
        for same in ("seed", "epochs", "generator_from"):
            assert getattr(control, same) == getattr(final, same)
        assert control.params["learning_rate"] == final.params["learning_rate"]
        part = ledger.parts(control.cell)[Stage.CONTROL]
        assert all("test" in trial.attributes for trial in part.trials())


def test_without_controls_none_is_trained():
    _, diary = run(study_settings(replicates=2, controls=False))
    assert all(spec.stage is not Stage.CONTROL for spec, _ in diary.of("started"))


def test_a_study_that_is_killed_again_and_again_ends_like_one_that_was_not(tmp_path):
    settings = study_settings(**SEVERAL)
    undisturbed, _ = run(settings, workers=1)
    storage = InMemoryStorage()
    for results in (1, 40, 90, 200, 260, 330):
        simulation, *_ = simulate(settings, storage=storage, workers=1)
        while simulation.results < results and simulation.advance(tmp_path):
            pass
    ledger, _ = run(settings, storage=storage, workers=1)
    assert outcome(ledger) == outcome(undisturbed)
    for cell in ledger.cells:
        for stage, part in ledger.parts(cell.key).items():
            assert len(part.trials()) == len(undisturbed.parts(cell.key)[stage].trials())


def test_a_finished_study_may_be_given_more_replicates():
    storage = InMemoryStorage()
    _, before = run(study_settings(replicates=1), storage=storage)
    ledger, after = run(study_settings(replicates=2), storage=storage)
    assert {spec.replicate for spec, _ in before.of("started")} == {1}
    assert {spec.replicate for spec, _ in after.of("started")} == {2}
    assert set(ledger.replicates.values()) == {2}


def test_a_replicate_is_added_to_what_is_in_contention_and_to_its_parents():
    storage, settings = InMemoryStorage(), study_settings(replicates=2)
    ledger, _ = run(settings, storage=storage)
    ledger.add_replicate({("fruit", "cgan")})
    ledger, diary = run(settings, storage=storage)
    begun = {(spec.dataset, spec.architecture, spec.replicate) for spec, _ in diary.of("started")}
    assert begun == {("fruit", "cgan", 3), ("fruit", "unet", 3)}
    assert ledger.replicates["fruit", "unet"] == 3
    assert ledger.replicates["scenes", "cgan"] == 2
    ledger.add_replicate({("fruit", "koalarization")})
    assert ledger.replicates["fruit", "koalarization"] == ledger.replicates["fruit", "cgan"] == 3


def test_the_same_results_are_looked_at_once():
    storage, settings = InMemoryStorage(), study_settings()
    ledger = StudyLedger(storage, settings)
    for replicates in (2, 2, 3):
        ledger.record_look(replicates)
    again = StudyLedger(storage, settings)
    assert [look["replicates"] for look in again.looks] == [2, 3]
    assert all(look["time"].endswith("+00:00") for look in again.looks)
