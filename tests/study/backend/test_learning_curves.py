"""What recorded learning curves say of configurations that were not recorded."""

import math
from pathlib import Path

import pytest

from study.backend.learning_curves import RecordedCurves, RecordedTrial

RECORDED = Path(__file__).parents[3] / "benchmarks" / "curves"


def recorded(objective, **params):
    return RecordedTrial(params, objective, [1.0] * len(objective))


def curve(curves, cell, seed=0, **params):
    return tuple(round(value, 6) for value in curves.curve(cell, params, seed).objective)


def test_a_recorded_configuration_learns_as_recorded_and_one_in_between_in_between():
    slow = recorded([40.0, 30.0, 20.0], learning_rate=1e-5)
    fast = recorded([20.0, 12.0, 10.0], learning_rate=1e-3)
    curves = RecordedCurves({"scenes/unet": [slow, fast]})
    assert curve(curves, "scenes/unet", learning_rate=1e-5) == (40, 30, 20)
    assert curve(curves, "scenes/unet", learning_rate=1e-2) == (20, 12, 10)
    between = tuple(round(math.sqrt(a * b), 6) for a, b in zip(slow.objective, fast.objective, strict=True))
    assert curve(curves, "scenes/unet", learning_rate=1e-4) == between


def test_trials_of_one_configuration_differ_by_their_seed_as_the_recorded_ones_did():
    lucky, unlucky = [9.0, 8.0, 7.0], [12.0, 11.0, 10.0]
    curves = RecordedCurves(
        {"scenes/unet": [recorded(lucky, learning_rate=1e-3), recorded(unlucky, learning_rate=1e-3)]}
    )
    seen = [curve(curves, "scenes/unet", seed, learning_rate=1e-3) for seed in range(30)]
    assert set(seen) == {tuple(lucky), tuple(unlucky)}
    assert seen[7] == curve(curves, "scenes/unet", 7, learning_rate=1e-3)


def test_without_bandwidth_the_nearest_recorded_trial_answers():
    trials = [recorded([10.0 * rate] * 3, learning_rate=rate) for rate in (1e-5, 1e-4, 1e-3)]
    curves = RecordedCurves({"fruit/unet": trials}, bandwidth=0)
    assert curve(curves, "fruit/unet", learning_rate=2.9e-4) == (1e-3,) * 3
    assert curve(curves, "fruit/unet", learning_rate=3.3e-4) == (1e-2,) * 3


def test_options_share_nothing_and_a_diverged_trial_is_no_mean():
    others = {"discriminator_learning_rate": 1e-4, "l1_weight": 100.0, "epsilon": 1e-9}
    scratch = [
        recorded([30.0, 25.0, 20.0], learning_rate=1e-3, generator_init="scratch", **others),
        recorded([30.0, math.nan, math.nan], learning_rate=1e-3, generator_init="scratch", **others),
    ]
    pretrained = recorded([9.0, 8.0, 7.0], learning_rate=1e-3, generator_init="unet", **others)
    curves = RecordedCurves({"fruit/cgan": [*scratch, pretrained]})
    wanted = {"learning_rate": 1e-3, **others}
    assert curve(curves, "fruit/cgan", generator_init="unet", **wanted) == (9, 8, 7)
    seen = {curve(curves, "fruit/cgan", seed, generator_init="scratch", **wanted) for seed in range(30)}
    assert {(first, math.isnan(last)) for first, _, last in seen} == {(30, False), (30, True)}
    assert (30, 25, 20) in seen


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.json")), ids=lambda file: file.stem)
def test_on_the_recorded_curves_the_kernel_predicts_a_left_out_trial_better_than_the_nearest(file):
    errors = {}
    for curves in (RecordedCurves.load(file), RecordedCurves.load(file, bandwidth=0)):
        errors[curves] = sum(curves.leave_one_out_error(cell) for cell in curves.trials) / len(curves.trials)
    kernel, nearest = errors.values()
    assert kernel < nearest
