"""Verdicts on made-up quantities with a known truth."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from study.comparison.finals import CellEvidence
from study.reporting.diagnostics.adversary import adversarial_diagnoses, generator_start, welch
from study.reporting.diagnostics.diagnosis import interval_text
from study.reporting.diagnostics.pictures import chroma_variance, image_diagnoses
from study.statistics import Interval
from study.tracking.trial_record import TrialRecord
from tests.support.cell_evidence import cell, evidence, trial


def verdicts(*cells: CellEvidence) -> dict[str, str]:
    return {one.title: one.rows[0].verdict for one in image_diagnoses(evidence(*cells)) if one.rows}


RED = 20
FAILINGS = {
    "White collapse": {"white_distance": 2.0},
    "Blur": {"detail": 0.2},
    "Green turned red": {"hues": (RED, 40, 250, 310)},
    "Few learnt colours": {"hues": (130, 40, 130, 40)},
    "Desaturation": {"saturation": 8.0},
}


def test_a_perfect_model_shows_none_of_the_failings():
    assert verdicts(cell()) == dict.fromkeys([*FAILINGS, "Collapse to one colour"], "not seen")


@pytest.mark.parametrize("title", FAILINGS)
def test_each_failing_is_seen_alone(title):
    found = verdicts(cell(**FAILINGS[title]))
    assert {name for name, verdict in found.items() if verdict == "seen"} == {title}


def test_a_wide_interval_decides_nothing():
    assert verdicts(cell(detail=0.5, spread=0.5))["Blur"] == "not decided"


def test_one_colour_for_all_images_is_a_collapse():
    found = verdicts(cell(hues=(RED,)))
    assert found["Collapse to one colour"] == "seen"
    assert found["Few learnt colours"] == "seen"
    assert found["Green turned red"] == "not seen"  # all is red
    assert chroma_variance(cell()).value == pytest.approx(1, abs=0.02)


def test_a_truth_without_green_gives_no_row():
    one = cell()
    for quantities in one.evaluations:
        quantities["a_star_true"] = np.abs(quantities["a_star_true"])
    assert "Green turned red" not in verdicts(one)


def test_green_is_seen_beside_what_needs_no_learning():
    names = ("Cucumber", "Orange", "Plum", "Grape")
    found = image_diagnoses(evidence(cell(hues=(RED, 40, 250, 310)), categories=names))
    (row,) = next(one.rows for one in found if "red" in one.title)
    beside, varied, cucumber = row.remark.split("; ")
    assert beside == "beside it: grey copy 0.00, best tint -0.16"
    assert varied.startswith("images are told apart by")
    assert cucumber.startswith("Cucumber -1.4")


def replicated(one: CellEvidence) -> CellEvidence:
    """The same finals, one in each replicate."""
    return replace(
        one, finals=[replace(final, replicate=1 + place) for place, final in enumerate(one.finals)]
    )


@pytest.mark.parametrize(
    ("unet", "cgan", "verdict"), [(8.0, 12.0, "seen"), (12.0, 8.0, "not seen"), (10.0, 10.0, "not decided")]
)
def test_whether_the_u_net_is_best(unet, cgan, verdict):
    cells = [replicated(cell(name="unet", ciede2000=unet)), replicated(cell(name="cgan", ciede2000=cgan))]
    if unet == cgan:
        cells[1].evaluations[0]["ciede2000"] += 0.5
    assert verdicts(*cells)["Best architecture"] == verdict


def test_one_replicate_does_not_say_which_is_best():
    cells = [cell(name="unet", ciede2000=8.0), cell(name="cgan", ciede2000=12.0)]
    (row,) = image_diagnoses(evidence(*cells))[0].rows
    assert row.verdict == "not decided"
    assert row.value.endswith("better in one replicate alone")


def fake_record(trials: list[TrialRecord], gradient: list[float], bad: list[float]) -> SimpleNamespace:
    values = {"train/gradient_left": gradient, "train/nonfinite_steps": bad}
    return SimpleNamespace(
        cells=[("fruit", "cgan")],
        search=lambda *_: trials,
        metric_names=lambda _: list(values),
        history=lambda one, metric: [
            (1, float(metric.endswith("left"))),
            (2, values[metric][one.number]),
        ],
    )


def test_saturation_falls_with_epsilon():
    epsilons = np.logspace(-12, -3, 20)
    trials = [trial(number, params={"epsilon": float(value)}) for number, value in enumerate(epsilons)]
    record = fake_record(trials, list(np.linspace(0.1, 0.6, 20)), [0] * 20)
    found = {one.title: one.rows[0] for one in adversarial_diagnoses(record) if one.rows}
    assert found["Discriminator saturation"].verdict == "seen"
    assert found["Saturation against ε"].verdict == "seen"
    assert found["Saturation against ε"].value.startswith("ρ 1.00")
    assert found["Non-finite steps"].verdict == "not decided"


def test_trials_that_broke_are_counted_with_their_epsilon():
    trials = [trial(number, params={"epsilon": 1e-12}) for number in range(8)]
    record = fake_record(trials, [1] * 8, [3] * 8)
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


def test_nothing_is_printed_as_less_than_nothing():
    assert interval_text(Interval(0.001, -0.002, 0.004, "architecture", "")) == "0.00 [0.00, 0.00]"
