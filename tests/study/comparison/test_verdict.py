"""Verdicts of a study with replicates, and what anyone can compute again from its exported evaluations."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from models.metrics import KEPT, OBJECTIVE
from study.comparison.control import control_sentence
from study.comparison.csv_table import write_evaluations
from study.comparison.finals import Evidence
from study.comparison.summary import summarise_study
from study.comparison.verdict import dataset_verdicts, in_contention
from study.reporting.answer import answer


def test_a_clear_difference_is_told_and_a_negligible_one_is_called_equivalent(replicated):
    words = {
        frozenset((one.a, one.b)): (one.word, one.a)
        for one in dataset_verdicts(Evidence(replicated), "fruit")
    }
    assert words[frozenset(("unet", "koalarization"))] == ("better", "unet")
    assert words[frozenset(("unet", "cgan"))][0] == "equivalent"
    assert in_contention(replicated) == set()


def test_a_collapsed_replicate_has_no_part_in_the_comparison(replicated):
    found = {
        frozenset((one.a, one.b)): one.replicates for one in dataset_verdicts(Evidence(replicated), "fruit")
    }
    assert found[frozenset(("unet", "koalarization"))] == 3
    assert found[frozenset(("unet", "cgan"))] == 4


def test_one_replicate_speaks_of_its_configurations_and_decides_nothing(whole):
    found = dataset_verdicts(Evidence(whole), "fruit")
    assert {one.difference.scope for one in found} == {"these configurations"}
    assert {name for _, name in in_contention(whole)} == {"koalarization", "unet", "cgan"}


def test_the_answer_says_whether_collapsed_trainings_take_part_in_comparisons(replicated, whole, monkeypatch):
    monkeypatch.setattr(whole, "trials", [replace(one, collapsed=True) for one in whole.trials])
    (one,) = [one for one in answer(Evidence(whole), "fruit").sentences if "collapsed in" in one]
    assert one.endswith("comparisons of a single replicate include such trainings.")
    (one,) = [one for one in answer(Evidence(replicated), "fruit").sentences if "collapsed in" in one]
    assert one.endswith("comparisons speak of trainings that did not collapse.")


def test_each_replicate_is_one_row_of_the_summary(replicated):
    rows = {one.architecture: one for one in summarise_study(replicated)}
    assert rows["unet"].seeds == 4
    assert rows["unet"].trials == 4
    assert rows["unet"].test[OBJECTIVE].scope == "architecture"
    grey = replicated.trivial["fruit"]["grey copy"][OBJECTIVE]
    assert rows["unet"].beats["grey copy"] == (rows["unet"].test[OBJECTIVE].high < grey)


def test_the_control_says_what_made_the_difference(replicated):
    sentence = control_sentence(Evidence(replicated), "fruit")
    assert "cgan itself made the difference" in sentence


@pytest.mark.parametrize("metric", [OBJECTIVE, KEPT + OBJECTIVE, "psnr"])
def test_means_and_intervals_can_be_computed_again_from_the_exported_evaluations(replicated, metric):
    """Crossed random effects by the textbook, in pandas and scipy alone."""
    table = pd.read_csv(io.StringIO(write_evaluations(replicated)))
    for row in summarise_study(replicated):
        mine = table[(table["architecture"] == row.architecture) & (table["role"] == "final")]
        scores = mine.pivot_table(index="replicate", columns="image", values=metric).to_numpy()
        shown = row.test[metric]
        assert shown.value == pytest.approx(scores.mean())
        low, high = _crossed(scores)
        assert (shown.low, shown.high) == pytest.approx((max(low, 0.0), high))


def _crossed(scores: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean over rows and columns, both random, with the quantile of Cochran and Cox."""
    rows, columns = scores.shape
    centred = scores - scores.mean()
    of_rows = columns * np.square(centred.mean(axis=1)).sum() / (rows - 1)
    of_columns = rows * np.square(centred.mean(axis=0)).sum() / (columns - 1)
    rest = centred - centred.mean(axis=1, keepdims=True) - centred.mean(axis=0)
    of_rest = np.square(rest).sum() / ((rows - 1) * (columns - 1))
    parts = [
        (of_rows / (rows * columns), rows - 1),
        (max(of_columns - of_rest, 0) / (rows * columns), columns - 1),
    ]
    total = sum(variance for variance, _ in parts)
    quantile = sum(variance * stats.t.ppf(0.975, freedom) for variance, freedom in parts) / total
    half = quantile * math.sqrt(total)
    return scores.mean() - half, scores.mean() + half


def test_the_report_opens_with_one_sentence_per_dataset(replicated):
    found = answer(Evidence(replicated), "fruit")
    assert found.lead == "unet and cgan colour fruit equally well."
    assert any("koalarization collapsed in 1 of 4 trainings (25 % [5, 70])" in one for one in found.sentences)
    assert any("4 replicates" in one and "2 looks" in one for one in found.sentences)


def test_replicates_added_after_a_fixed_end_are_charged_for_every_look(replicated, monkeypatch):
    monkeypatch.setitem(replicated.settings, "verdict", {"until": "replicates", "margin": 0.0})
    charged = {(one.a, one.b): one for one in dataset_verdicts(Evidence(replicated), "fruit")}
    monkeypatch.setattr(type(replicated), "looks", [4])
    once = {(one.a, one.b): one for one in dataset_verdicts(Evidence(replicated), "fruit")}
    for pair, one in charged.items():
        assert one.p_value >= once[pair].p_value
        assert (
            one.difference.high - one.difference.low > once[pair].difference.high - once[pair].difference.low
        )
    assert not any("charged" in one for one in answer(Evidence(replicated), "fruit").sentences)


def test_the_answer_says_that_looks_were_charged(replicated, monkeypatch):
    monkeypatch.setitem(replicated.settings, "verdict", {"until": "replicates"})
    sentence = answer(Evidence(replicated), "fruit").sentences[-1]
    assert "Replicates were added after a look at what was to be the end" in sentence
    assert "charged for all 2 looks (alpha spending)" in sentence
