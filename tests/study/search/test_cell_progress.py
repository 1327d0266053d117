"""What a cell was charged, and how its trials ended."""

from optuna.storages import InMemoryStorage

from study.backend.learning_curves import analytic_curve
from tests.support.simulated import EPOCHS, TRIALS, simulate, study_settings


def counters(conductor):
    return [
        (one.states, one.finals_ended, one.epochs, round(one.device_seconds, 6), one.best)
        for one in conductor.cells
    ]


def test_a_driver_that_resumes_counts_what_the_one_before_it_counted():
    settings, storage = study_settings(), InMemoryStorage()
    simulation, conductor, _, _ = simulate(settings, storage=storage)
    simulation.run()
    _, resumed, _, _ = simulate(settings, storage=storage)
    assert counters(resumed) == counters(conductor)
    assert all(one.states.total() == TRIALS and one.finals_ended == 2 for one in resumed.cells)


def test_an_extended_study_charges_no_epoch_of_the_trials_that_it_continues():
    storage, unpruned = InMemoryStorage(), {"pruner": "none"}
    shared = {"architectures": ["unet"], "search": unpruned, "finals": {"seeds": 0}}
    simulate(study_settings(**shared), storage=storage)[0].run()
    longer = study_settings(**shared, budget={"epochs": EPOCHS + 3})
    simulation, conductor, _, diary = simulate(longer, storage=storage)
    simulation.run()
    assert {end.epochs for _, end in diary.of("ended")} == {3}
    assert [one.epochs for one in conductor.cells] == [TRIALS * (EPOCHS + 3)] * 2


def test_device_time_is_charged_while_a_trial_runs_and_once_however_often_it_is_reported(tmp_path):
    settings = study_settings(architectures=["unet"], finals={"seeds": 0})

    def curve(spec, epoch):
        return {**analytic_curve(spec, epoch), "device_seconds": 2.0}

    simulation, conductor, _, diary = simulate(settings, curve=curve, workers=1)
    for _ in range(3):
        simulation.advance(tmp_path)
    spec, report = diary.of("reported")[-1]
    charged = sum(one.device_seconds for one in conductor.cells)
    assert charged == 6.0
    conductor.report(spec, [report])
    assert sum(one.device_seconds for one in conductor.cells) == charged
