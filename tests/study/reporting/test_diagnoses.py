"""Verdicts on made-up quantities with a known truth."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from study.comparison.finals import CellEvidence
from study.reporting.gan_diagnostics import adversarial_diagnoses, generator_start, welch
from study.reporting.image_diagnostics import greenness, image_diagnoses, white_collapse
from study.tracking.trial_record import TrialRecord
from tests.support.cell_evidence import IMAGES, cell, hue_histogram, trial


def evidence(*cells: CellEvidence, categories: tuple[str, ...] = ()) -> SimpleNamespace:
    facts = {"categories": list(categories), "test_categories": [0] * IMAGES if categories else [-1] * IMAGES}
    return SimpleNamespace(
        cells={("fruit", one.architecture): one for one in cells},
        datasets=["fruit"],
        of=lambda _: list(cells),
        categories=lambda _: None,
        record=SimpleNamespace(
            data={"datasets": {"fruit": facts}}, settings={}, looks=[], replicates=1, rotates=False
        ),
    )


def verdicts(*cells: CellEvidence) -> dict[str, str]:
    return {one.title: one.rows[0].verdict for one in image_diagnoses(evidence(*cells)) if one.rows}


FAILINGS = {
    "White collapse": {"white_fraction": 0.98},
    "Blur": {"sharpness": 0.2},
    "Green turned red": {"hue": 20},
    "Few learnt colours": {"hue_entropy": 1.0},
    "Desaturation": {"saturation": 8.0},
}


def test_a_perfect_model_shows_none_of_the_failings():
    assert verdicts(cell()) == dict.fromkeys(FAILINGS, "not seen")


@pytest.mark.parametrize("title", FAILINGS)
def test_each_failing_is_seen_alone(title):
    found = verdicts(cell(**FAILINGS[title]))
    assert {name for name, verdict in found.items() if verdict == "seen"} == {title}


def test_a_wide_interval_decides_nothing():
    assert verdicts(cell(sharpness=0.5, spread=0.5))["Blur"] == "not decided"


def test_white_collapse_is_a_share_of_what_was_not_white():
    assert white_collapse(cell(white_fraction=1.0)).value == pytest.approx(1, abs=0.02)
    assert white_collapse(cell()).value == pytest.approx(0, abs=0.02)


def test_greenness_has_the_sign_of_the_predicted_a_star():
    red, green = greenness(cell(hue=20)), greenness(cell())
    assert red is not None
    assert green is not None
    assert red.value < 0 < green.value == pytest.approx(1, abs=0.05)


def test_a_truth_without_green_gives_no_row():
    one = cell()
    for quantities in one.evaluations:
        quantities["hue_histogram_true"] = hue_histogram(30)
    assert "Green turned red" not in verdicts(one)


def test_green_categories_are_named():
    rows = next(
        one.rows
        for one in image_diagnoses(evidence(cell(hue=20), categories=("Cucumber",)))
        if "red" in one.title
    )
    assert rows[0].remark.startswith("Cucumber -")
    assert rows[0].remark.endswith(": seen")


@pytest.mark.parametrize(
    ("unet", "cgan", "verdict"), [(8.0, 12.0, "seen"), (12.0, 8.0, "not seen"), (10.0, 10.0, "not decided")]
)
def test_whether_the_u_net_is_best(unet, cgan, verdict):
    cells = [cell(name="unet", ciede2000=unet), cell(name="cgan", ciede2000=cgan)]
    if unet == cgan:
        cells[1].evaluations[0]["ciede2000"] += 0.5
    assert verdicts(*cells)["Best architecture"] == verdict


def fake_record(trials: list[TrialRecord], saturation: list[float], bad: list[float]) -> SimpleNamespace:
    values = {"train/saturation": saturation, "train/nonfinite_steps": bad}
    return SimpleNamespace(
        cells=[("fruit", "cgan")],
        search=lambda *_: trials,
        metric_names=lambda _: list(values),
        history=lambda one, metric: [(1, 0.0), (2, values[metric][one.number])],
    )


def test_saturation_falls_with_epsilon():
    epsilons = np.logspace(-12, -3, 20)
    trials = [trial(number, params={"epsilon": float(value)}) for number, value in enumerate(epsilons)]
    record = fake_record(trials, list(np.linspace(0.9, 0.2, 20)), [0] * 20)
    found = {one.title: one.rows[0] for one in adversarial_diagnoses(record) if one.rows}
    assert found["Discriminator saturation"].verdict == "seen"
    assert found["Saturation against ε"].verdict == "seen"
    assert found["Saturation against ε"].value.startswith("ρ -1.00")
    assert found["Non-finite steps"].verdict == "not decided"


def test_trials_that_broke_are_counted_with_their_epsilon():
    trials = [trial(number, params={"epsilon": 1e-12}) for number in range(8)]
    record = fake_record(trials, [0] * 8, [3] * 8)
    found = {one.title: one.rows[0] for one in adversarial_diagnoses(record) if one.rows}
    assert found["Non-finite steps"].verdict == "seen"
    assert "8 of 8 trials, with ε 1.0e-12" in found["Non-finite steps"].remark


def test_a_study_without_a_discriminator_has_no_such_diagnoses():
    record = fake_record([], [], [])
    assert adversarial_diagnoses(record) == []


def test_the_generators_start_is_decided_only_with_enough_trials():
    starts = ["scratch"] * 6 + ["unet"] * 6
    trials = [
        trial(
            number,
            params={"generator_init": start},
            best=(20.0 if start == "scratch" else 10.0) + 0.1 * number,
        )
        for number, start in enumerate(starts)
    ]
    found = generator_start("fruit", "cgan", trials)
    assert found is not None
    assert found.verdict == "seen"
    few = generator_start("fruit", "cgan", trials[5:])
    assert few is not None
    assert few.verdict == "not decided"
    assert generator_start("fruit", "cgan", [trial()]) is None


def test_welch_is_that_of_scipy():
    from scipy import stats

    a, b = [1.0, 2.0, 4.0], [0.5, 0.7, 0.6, 1.0]
    bounds = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert (welch(a, b).low, welch(a, b).high) == pytest.approx((bounds.low, bounds.high))
