"""Failed trials are tried again once the cause is mended."""

import math

from optuna.storages import InMemoryStorage

from models.metrics import OBJECTIVE
from study.backend.learning_curves import analytic_curve
from study.backend.simulator import ProcessDied
from study.driver.resume import failures, retry_failed
from study.search.trial_spec import TrialState
from tests.support.simulated import EPOCHS, TRIALS, run, simulate, states, study_settings

SETTINGS = study_settings(search={"pruner": "none"})


def go_on(settings, storage, retry=True):
    simulation, conductor, ledger, _ = simulate(settings, storage=storage)
    if retry:
        retry_failed(ledger)
        simulation, conductor, ledger, _ = simulate(settings, storage=storage)
    simulation.run()
    assert conductor.finished
    return ledger


def test_a_cell_that_stopped_goes_on_with_the_same_configurations_and_seeds():
    def broken(spec, epoch):
        if spec.cell == "scenes/unet":
            raise ProcessDied("no space left")
        return analytic_curve(spec, epoch)

    storage = InMemoryStorage()
    ledger, diary = run(SETTINGS, storage=storage, curve=broken, workers=1, max_failures=0)
    failed = ledger.search("scenes/unet").trials()
    assert {trial.state for trial in failed} == {TrialState.FAIL}
    assert any("--resume --retry-failed" in sentence for _, sentence in diary.of("noted"))
    unchanged = go_on(SETTINGS, storage, retry=False)
    assert states(unchanged.search("scenes/unet")) == {TrialState.FAIL: len(failed)}

    ledger = go_on(SETTINGS, storage)
    trials = ledger.search("scenes/unet").trials()
    assert states(ledger.search("scenes/unet")) == {TrialState.FAIL: len(failed), TrialState.COMPLETE: TRIALS}
    again = {trial.attributes["retries"]: trial for trial in trials if "retries" in trial.attributes}
    assert [again[one.number].params for one in failed] == [one.params for one in failed]
    assert [again[one.number].attributes["seed"] for one in failed] == [
        one.attributes["seed"] for one in failed
    ]
    assert states(ledger.finals("scenes/unet")) == {TrialState.COMPLETE: 2}
    assert not failures(ledger)
    assert retry_failed(ledger) == 0


def test_failed_finals_and_continuations_are_tried_again():
    broken = {"now": False}

    def breaking(spec, epoch):
        final, continuation = "final" in spec.key, epoch > EPOCHS
        if broken["now"] and spec.cell == "fruit/unet" and (final or continuation):
            raise ProcessDied("the node is gone")
        return analytic_curve(spec, epoch)

    storage = InMemoryStorage()
    broken["now"] = True
    ledger, _ = run(SETTINGS, storage=storage, curve=breaking, max_failures=0)
    assert states(ledger.finals("fruit/unet")) == {TrialState.FAIL: 2}
    ledger = go_on(SETTINGS, storage)
    finals = ledger.finals("fruit/unet").trials()
    assert [final.state for final in finals] == [TrialState.FAIL] * 2 + [TrialState.COMPLETE] * 2
    assert [one.attributes["seed"] for one in finals[:2]] == [one.attributes["seed"] for one in finals[2:]]

    longer = study_settings(search={"pruner": "none"}, budget={"epochs": EPOCHS + 3})
    simulation, _, ledger, _ = simulate(longer, storage=storage, curve=breaking, max_failures=0)
    simulation.run()
    assert states(ledger.search("fruit/unet"))[TrialState.FAIL] > 0
    ledger = go_on(longer, storage)
    complete = ledger.search("fruit/unet").trials(TrialState.COMPLETE)
    assert sum(trial.epochs == EPOCHS + 3 for trial in complete) == TRIALS


def test_a_diverged_trial_stays_failed():
    def diverging(spec, epoch):
        return (
            {OBJECTIVE: math.nan}
            if spec.number == 2 and "final" not in spec.key
            else analytic_curve(spec, epoch)
        )

    ledger, _ = run(SETTINGS, curve=diverging)
    assert states(ledger.search("fruit/unet"))[TrialState.FAIL] == 1
    assert retry_failed(ledger) == 0
